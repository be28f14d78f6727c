// langgraph: LangChain's guide "Human-in-the-loop", createAgent with its middleware. The checkpointer is the guide's
// MemorySaver. Refusing a second run of a thread is offered by its hosted server only, not by the library.
import { Command, MemorySaver } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, humanInTheLoopMiddleware, tool } from 'langchain';
import { z } from 'zod';
import { model, prompt, sendInvoice } from '../../approve-once/tool.mjs';

async function ask({ baseURL }) {
  const { name, description, schema, execute } = sendInvoice(z);
  const send = async (args) => JSON.stringify(await execute(args));
  const agent = createAgent({
    model: new ChatOpenAI({
      model,
      apiKey: 'x',
      configuration: { baseURL },
      streaming: true,
      maxRetries: 0,
    }),
    tools: [tool(send, { name, description, schema })],
    middleware: [humanInTheLoopMiddleware({ interruptOn: { [name]: true } })],
    checkpointer: new MemorySaver(),
  });
  const run = async (input) => {
    const options = { configurable: { thread_id: 'invoices' }, streamMode: 'messages' };
    for await (const _ of await agent.stream(input, options));
  };
  await run({ messages: [{ role: 'user', content: prompt }] });
  return () => run(new Command({ resume: { decisions: [{ type: 'approve' }] } }));
}

export const ways = { 'as its guide': ask };
