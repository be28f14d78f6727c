// What is measured: an assistant over each set of stores, with a model that costs nothing.
import { Assistant, inProcessStores, tool } from '../../packages/core/src/index.ts';
import { postgresStores } from '../../packages/store-postgres/src/index.ts';
import { bullMqEngine, redisStores } from '../../packages/store-redis/src/index.ts';

export const subjects = ['in-process', 'postgres', 'postgres + redis'];

const pieces = 20;
const nothing = { type: 'object', properties: {} };
const does = (name, confirm) =>
  tool({
    name,
    description: 'Does it',
    parameters: nothing,
    effect: 'write',
    confirm,
    execute: () => 'done',
  });

/** Asked to "call", it calls a tool and then answers; otherwise it answers at once. */
const model = {
  async *stream({ messages }) {
    yield { type: 'start', requestId: null };
    const last = messages.at(-1);
    const calls = last?.role === 'user' && last.content === 'call';
    if (calls) {
      yield { type: 'tool_call', id: 'c', name: 'now', argumentsText: '{}', custom: false };
    } else {
      for (let piece = 0; piece < pieces; piece += 1) yield { type: 'text', text: 'word ' };
    }
    const reason = calls ? 'tool_calls' : 'stop';
    yield { type: 'finish', reason, responseId: null, model: null, usage, verbatim: null };
  },
};
const usage = {
  inputTokens: 100,
  outputTokens: pieces,
  totalTokens: 100 + pieces,
  cachedTokens: 0,
  reasoningTokens: 0,
};

/** An assistant over the stores of this name, and how to end it. */
export async function openSubject(name, { postgresUrl, redisUrl, schema = 'bench' }) {
  const redis = name.includes('redis') ? await redisStores({ url: redisUrl }) : undefined;
  const stores =
    name === 'in-process'
      ? inProcessStores()
      : await postgresStores({
          connectionString: postgresUrl,
          schema,
          migrate: true,
          ...(redis && { liveLog: redis.liveLog, rateLimiter: redis.rateLimiter }),
        });
  const engine = redis && (await bullMqEngine({ url: redisUrl }));
  const assistant = new Assistant({
    model,
    tools: [does('now', 'never'), does('asks', 'always')],
    stores,
    ...(engine && { engine }),
    limits: { decideWithinMs: 86_400_000 },
  });
  const close = async () => {
    await assistant.close();
    await stores.close();
    await redis?.close();
  };
  return { assistant, stores, close };
}
