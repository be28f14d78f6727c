// mastra: @mastra/core, Agent.stream, the full stream; the model comes from @ai-sdk/openai.
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { instructions, prompt } from '../../lib/protocol.mjs';
import { makeTools, once } from '../../lib/tools.mjs';

const cached = once();

const toolsOf = (count) =>
  Object.fromEntries(
    makeTools(z, count).map(({ name, description, schema, execute }) => [
      name,
      createTool({ id: name, description, inputSchema: schema, execute }),
    ]),
  );

function agentFor({ api, baseURL, model, toolCount }) {
  return cached(`${baseURL} ${api} ${model} ${toolCount}`, () => {
    const provider = createOpenAI({ baseURL, apiKey: 'x' });
    return new Agent({
      id: 'bench',
      name: 'bench',
      instructions,
      model: api === 'chat' ? provider.chat(model) : provider.responses(model),
      tools: toolsOf(toolCount),
      maxRetries: 0,
    });
  });
}

export async function runStream(job) {
  const received = { tokens: 0, characters: 0, events: 0, toolResults: 0 };
  const { fullStream } = await agentFor(job).stream(prompt, { maxSteps: 30 });
  for await (const part of fullStream) {
    received.events += 1;
    if (part.type === 'text-delta') {
      if (received.tokens === 0) job.onFirst();
      received.tokens += 1;
      received.characters += part.payload.text.length;
    } else if (part.type === 'tool-result') received.toolResults += 1;
    else if (part.type === 'error' || part.type === 'tool-error') throw part.payload.error;
  }
  return received;
}
