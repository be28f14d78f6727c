// steward: the packed package as it would be published. In-process stores, log, ledger and gate are all on.
import { Assistant, openaiModel, tool } from '@steward/core';
import { z } from 'zod';
import { instructions, prompt } from '../../lib/protocol.mjs';
import { makeTools, once } from '../../lib/tools.mjs';

const cached = once();

const toolsOf = (count) =>
  makeTools(z, count).map(({ name, description, schema, execute }) =>
    tool({ name, description, parameters: schema, effect: 'read', execute }),
  );

const assistantFor = ({ api, baseURL, model, toolCount }) =>
  cached(
    `${baseURL} ${api} ${model} ${toolCount}`,
    () =>
      new Assistant({
        model: openaiModel({ api, baseURL, model, apiKey: 'x' }),
        instructions,
        tools: toolsOf(toolCount),
      }),
  );

export async function runStream(job) {
  const received = { tokens: 0, characters: 0, events: 0, toolResults: 0 };
  for await (const event of assistantFor(job).run(prompt)) {
    received.events += 1;
    if (event.type === 'token') {
      if (received.tokens === 0) job.onFirst();
      received.tokens += 1;
      received.characters += event.text.length;
    } else if (event.type === 'tool_result') received.toolResults += 1;
    else if (event.type === 'error') throw new Error(`${event.code}: ${event.message}`);
  }
  return received;
}
