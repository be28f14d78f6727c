import { Assistant, type AssistantOptions, type Stores, tool } from '@steward/core';
import { scriptedModel, testHints } from '@steward/core/testing';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bullMqEngine, redisStores } from '../src/index.ts';
import { eventually, privateRedis } from './private-redis.ts';
import { hasRedis, redises, sharedStores } from './test-redis.ts';

for (const redis of redises) await testHints(`redisStores().hints on ${redis.name}`, redis);

/** Nobody looks into the store by himself as long as a test takes. */
const lease = { ttlMs: 60_000, beatMs: 30_000 };

/** An assistant with connections of its own, as if it were alone in its process. */
async function replica(url: string, shared: Stores, options: AssistantOptions): Promise<Assistant> {
  const redis = await redisStores({ url });
  const { liveLog, hints } = redis;
  const engine = await bullMqEngine({ url });
  const assistant = new Assistant({
    ...options,
    engine,
    lease,
    stores: { ...shared, liveLog, hints },
  });
  onTestFinished(async () => {
    await assistant.close({ drainMs: 0 });
    await redis.close();
  });
  return assistant;
}

/** Until all of them listen. */
async function listening(url: string, count: number): Promise<void> {
  const redis = new Redis(url);
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  await eventually('all listen', async () => {
    const [, listeners] = (await redis.call('PUBSUB', 'NUMSUB', 'steward:hints')) as [
      string,
      number,
    ];
    return listeners === count;
  });
}

/** A tool that works until it is told not to, or until a person answers. */
function working({ asks } = { asks: false }) {
  const begun = Promise.withResolvers<void>();
  const told = Promise.withResolvers<number>();
  const work = tool({
    name: 'work',
    description: 'Works',
    parameters: { type: 'object', properties: {} },
    effect: 'read',
    execute: (_, { signal, requestInput }) => {
      begun.resolve();
      if (asks) return requestInput({ message: 'Well?' });
      signal.addEventListener('abort', () => told.resolve(performance.now()));
      return told.promise;
    },
  });
  let wasTold = false;
  void told.promise.then(() => {
    wasTold = true;
  });
  return { work, begun: begun.promise, told: told.promise, isTold: () => wasTold };
}

const model = scriptedModel(({ messages }) =>
  messages.at(-1)?.content === 'Work'
    ? { toolCalls: [{ name: 'work', args: {} }] }
    : { text: 'That was it.' },
);

describe.runIf(hasRedis)('what is asked at one replica', () => {
  it('stops the tool of another one long before its next beat', async () => {
    const { url } = await privateRedis();
    const shared = sharedStores();
    const { work, begun, told } = working();
    const one = await replica(url, shared, { model, tools: [work] });
    const two = await replica(url, shared, { model, tools: [work] });
    await listening(url, 2);
    const run = one.run('Work');
    await begun;
    const asked = performance.now();
    await two.cancel(run.id);
    expect((await told) - asked).toBeLessThan(lease.beatMs / 2);
    expect((await run.result()).status).toBe('cancelled');
  });

  it('reaches another one again after Redis was away', async () => {
    const server = await privateRedis();
    const shared = sharedStores();
    const { work, begun, isTold } = working();
    const one = await replica(server.url, shared, { model, tools: [work] });
    const two = await replica(server.url, shared, { model, tools: [work] });
    await listening(server.url, 2);
    const run = one.run('Work');
    await begun;
    await server.crash();
    await server.start();
    await listening(server.url, 2);
    // Until the one who tells is connected again as well.
    await eventually('it is told', async () => {
      await two.cancel(run.id);
      return isTold();
    });
    expect((await run.result()).status).toBe('cancelled');
  });

  it('ends what a question at another one supersedes, and gives it an answer', async () => {
    const { url } = await privateRedis();
    const shared = sharedStores();
    const { work, begun } = working();
    const one = await replica(url, shared, { model, tools: [work] });
    const two = await replica(url, shared, { model, tools: [work] });
    await listening(url, 2);
    const first = one.run('Work', { conversationId: 'c' });
    await begun;
    const second = two.run('Enough', { conversationId: 'c', onBusy: 'supersede' });
    expect((await second.result()).text).toBe('That was it.');
    expect((await first.result()).status).toBe('cancelled');
  });

  it('answers what a tool of another one asks', async () => {
    const { url } = await privateRedis();
    const shared = sharedStores();
    const { work, begun } = working({ asks: true });
    const one = await replica(url, shared, { model, tools: [work] });
    const two = await replica(url, shared, { model, tools: [work] });
    await listening(url, 2);
    const run = one.run('Work');
    await begun;
    const [asked] = (await run.result()).inputs;
    await two.answer(run.id, asked?.requestId ?? '', 'yes');
    expect((await run.result()).text).toBe('That was it.');
  });
});
