// ai: Vercel's AI SDK, streamText, the whole stream.
import { createOpenAI } from '@ai-sdk/openai';
import { isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { instructions, prompt } from '../../lib/protocol.mjs';
import { makeTools, once } from '../../lib/tools.mjs';

const cached = once();

const toolsOf = (count) =>
  cached(count, () =>
    Object.fromEntries(
      makeTools(z, count).map(({ name, description, schema, execute }) => [
        name,
        tool({ description, inputSchema: schema, execute }),
      ]),
    ),
  );

export async function runStream({ api, baseURL, model, toolCount, onFirst }) {
  const received = { tokens: 0, characters: 0, events: 0, toolResults: 0 };
  const provider = cached(baseURL, () => createOpenAI({ baseURL, apiKey: 'x' }));
  const result = streamText({
    model: api === 'chat' ? provider.chat(model) : provider.responses(model),
    instructions,
    prompt,
    tools: toolsOf(toolCount),
    stopWhen: isStepCount(30),
    maxRetries: 0,
    onError({ error }) {
      throw error;
    },
  });
  for await (const part of result.stream) {
    received.events += 1;
    if (part.type === 'text-delta') {
      if (received.tokens === 0) onFirst();
      received.tokens += 1;
      received.characters += part.text.length;
    } else if (part.type === 'tool-result') received.toolResults += 1;
    else if (part.type === 'error' || part.type === 'tool-error') throw part.error;
  }
  return received;
}
