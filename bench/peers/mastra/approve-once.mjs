// mastra: the guide "Human-in-the-loop". Snapshots are in a LibSQL file; a press is `approveToolCall` with run and call.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { createTool } from '@mastra/core/tools';
import { LibSQLStore } from '@mastra/libsql';
import { z } from 'zod';
import { model, prompt, sendInvoice } from '../../approve-once/tool.mjs';

const directory = mkdtempSync(join(tmpdir(), 'approve-once-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

async function drain(stream, onApproval) {
  for await (const { type, payload } of stream.fullStream) {
    if (type === 'tool-call-approval') onApproval?.(payload);
    else if (type === 'error' || type === 'tool-error') throw payload.error;
  }
}

async function start({ baseURL, hooks }) {
  const { name, description, schema, execute } = sendInvoice(z);
  const agent = new Agent({
    id: 'invoices',
    name: 'invoices',
    instructions: 'You send invoices.',
    model: createOpenAI({ baseURL, apiKey: 'x' }).chat(model),
    tools: {
      [name]: createTool({
        id: name,
        description,
        inputSchema: schema,
        requireApproval: true,
        execute,
      }),
    },
    maxRetries: 0,
    ...(hooks && { hooks }),
  });
  const url = `file:${join(directory, 'mastra.db')}`;
  const mastra = new Mastra({
    agents: { agent },
    storage: new LibSQLStore({ id: 'storage', url }),
    logger: false,
  });
  const invoices = mastra.getAgent('agent');
  const stream = await invoices.stream(prompt);
  let asked;
  await drain(stream, (payload) => {
    asked = payload;
  });
  const { toolCallId, toolName, args } = asked;
  const approve = async () =>
    drain(await invoices.approveToolCall({ runId: stream.runId, toolCallId }));
  return { approve, fingerprint: fingerprintOf(toolName, args) };
}

const ask = async (job) => (await start(job)).approve;

const fingerprintOf = (toolName, args) => JSON.stringify({ toolName, args });

/** The guide's "Bind approval to the exact tool arguments": each press adds, and the hook before the tool takes away. */
async function askWithGuard(job) {
  const approved = new Set();
  const beforeToolCall = ({ toolName, input }) =>
    approved.delete(fingerprintOf(toolName, input))
      ? undefined
      : { proceed: false, output: 'Tool call blocked: v-0 was not approved.' };
  const { approve, fingerprint } = await start({ ...job, hooks: { beforeToolCall } });
  return () => {
    approved.add(fingerprint);
    return approve();
  };
}

export const ways = { 'as its guide': ask, 'with a guard of the application': askWithGuard };
