// agents: the guide "Human-in-the-loop". Runs hand out their state; where it is kept is the application's affair.
import { Agent, OpenAIProvider, Runner, RunState, setTracingDisabled, tool } from '@openai/agents';
import { z } from 'zod';
import { model, prompt, sendInvoice } from '../../approve-once/tool.mjs';

setTracingDisabled(true);

async function start({ baseURL }) {
  const { name, description, schema, execute } = sendInvoice(z);
  const sendTool = tool({ name, description, parameters: schema, needsApproval: true, execute });
  const agent = new Agent({ name: 'invoices', model, tools: [sendTool] });
  const modelProvider = new OpenAIProvider({ baseURL, apiKey: 'x', useResponses: false });
  const runner = new Runner({ modelProvider, tracingDisabled: true });
  const run = async (input) => {
    const stream = await runner.run(agent, input, { stream: true });
    await stream.completed;
    if (stream.error) throw stream.error;
    return stream.state;
  };
  const resume = async (snapshot) => {
    const state = await RunState.fromString(agent, snapshot);
    for (const interruption of state.getInterruptions()) state.approve(interruption);
    return (await run(state)).toString();
  };
  return { snapshot: (await run(prompt)).toString(), resume };
}

/** As the guide does it: the state is stored when the run waits, and read by whoever decides. */
async function ask(job) {
  const { snapshot, resume } = await start(job);
  const stored = new Map([['run', snapshot]]);
  return () => resume(stored.get('run'));
}

/** Kinder than the guide: what is stored is the state after the last run, also when nothing waits any more. */
async function askAndSave(job) {
  const { snapshot, resume } = await start(job);
  const stored = new Map([['run', snapshot]]);
  return async () => stored.set('run', await resume(stored.get('run')));
}

/** As its example human-in-the-loop-server does it: the application takes the state away before it resumes. */
async function askWithGuard(job) {
  const { snapshot, resume } = await start(job);
  const stored = new Map([['run', snapshot]]);
  return async () => {
    const taken = stored.get('run');
    if (!stored.delete('run')) throw new Error('Approval request is unavailable.');
    return resume(taken);
  };
}

export const ways = {
  'as its guide': ask,
  'state saved after every run': askAndSave,
  'with a guard of the application': askWithGuard,
};
