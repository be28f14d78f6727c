// steward: docs/guides/confirmation.md. In-process stores; a press is `confirm` with the digest that was shown.
import { Assistant, openaiModel, tool } from '@steward/core';
import { z } from 'zod';
import { model, prompt, sendInvoice } from '../../approve-once/tool.mjs';

async function ask({ baseURL }) {
  const { name, description, schema, execute } = sendInvoice(z);
  const assistant = new Assistant({
    model: openaiModel({ api: 'chat', baseURL, model, apiKey: 'x' }),
    tools: [tool({ name, description, parameters: schema, execute })],
  });
  const run = assistant.run(prompt);
  const { confirmations } = await run.result();
  const [{ callId, argsDigest }] = confirmations;
  return async () => {
    await assistant.confirm(run.id, callId, { approve: true, argsDigest });
    await run.text();
  };
}

export const ways = { 'as its guide': ask };
