// openai: the official client, its stream iterated as documented, in the shortest loop.
import OpenAI from 'openai';
import { z } from 'zod';
import { handWrittenLoop } from '../../lib/hand-written-loop.mjs';
import { once } from '../../lib/tools.mjs';

const cached = once();

export function runStream(job) {
  const { api, baseURL } = job;
  const client = cached(baseURL, () => new OpenAI({ baseURL, apiKey: 'x', maxRetries: 0 }));
  return handWrittenLoop({ ...job, z }, async (body, onObject) => {
    const stream =
      api === 'chat'
        ? await client.chat.completions.create(body)
        : await client.responses.create(body);
    for await (const object of stream) onObject(object);
  });
}
