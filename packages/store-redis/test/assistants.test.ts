import {
  Assistant,
  type AssistantOptions,
  type ModelClient,
  type ModelEvent,
  type Run,
  type RunEvent,
  tool,
} from '@steward/core';
import { scriptedModel } from '@steward/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bullMqEngine, redisStores } from '../src/index.ts';
import { eventually, privateRedis } from './private-redis.ts';
import { hasRedis, sharedStores } from './test-redis.ts';

const principal = { userId: 'u1' };
const words = Array.from({ length: 40 }, (_, index) => `word ${index} `);

/** A model that says one word after the other, as many as it was told to. */
function toldModel() {
  const steps = words.map(() => Promise.withResolvers<void>());
  let told = 0;
  const model: ModelClient = {
    async *stream(): AsyncIterable<ModelEvent> {
      yield { type: 'start', requestId: null };
      for (const [index, text] of words.entries()) {
        await steps[index]?.promise;
        yield { type: 'text', text };
      }
      const nothing = { responseId: null, model: null, usage: null, verbatim: null };
      yield { type: 'finish', reason: 'stop', ...nothing };
    },
  };
  const say = (count: number) => {
    for (const step of steps.slice(told, told + count)) step.resolve();
    told += count;
  };
  return { model, say };
}

/** Assistants that share everything; each has its own connections to Redis, as if it were alone in its process. */
async function assistants(url: string, options: AssistantOptions): Promise<[Assistant, Assistant]> {
  const shared = sharedStores();
  const open = async () => {
    const redis = await redisStores({ url });
    const { liveLog, rateLimiter } = redis;
    const engine = await bullMqEngine({ url });
    const assistant = new Assistant({
      ...options,
      engine,
      stores: { ...shared, liveLog, rateLimiter },
    });
    onTestFinished(async () => {
      await assistant.close();
      await redis.close();
    });
    return assistant;
  };
  return [await open(), await open()];
}

const at = (runId: string) =>
  ({ type: 'warning', runId, at: 1, code: 'internal', message: 'of long ago' }) as const;

/** Collects what a reader gets while it comes. */
function collect(run: Run) {
  const events: RunEvent[] = [];
  const ended = (async () => {
    for await (const event of run) events.push(event);
  })();
  return { events, ended, tokens: () => events.filter(({ type }) => type === 'token').length };
}

describe.runIf(hasRedis)('assistants that share a Redis', () => {
  it('stream each other’s runs token by token, and replay them after the end', async () => {
    const { url } = await privateRedis();
    const { model, say } = toldModel();
    const [one, two] = await assistants(url, { model });
    const run = one.run('Hello', principal);
    const own = collect(run);
    say(5);
    await eventually('the caller has five words', () => own.tokens() === 5);
    const other = collect(two.attach(run.id, principal));
    await eventually('the other one has them as well', () => other.tokens() === 5);
    for (let count = 6; count <= 30; count++) {
      say(1);
      await eventually(
        'both have the next',
        () => own.tokens() >= count && other.tokens() >= count,
      );
    }
    say(10);
    await Promise.all([own.ended, other.ended]);
    expect(other.events).toEqual(own.events);
    const late = collect(two.attach(run.id, principal));
    await late.ended;
    expect(late.events).toEqual(own.events);
    const { cursor } = own.events[20] ?? {};
    const resumed = collect(two.attach(run.id, { ...principal, after: cursor }));
    await resumed.ended;
    expect(resumed.events).toEqual(own.events.slice(21));
  });

  it('F18: lose nothing by a flush in the middle of a stream', async () => {
    const { url, admin } = await privateRedis();
    const { model, say } = toldModel();
    const [one, two] = await assistants(url, { model });
    const run = one.run('Hello', principal);
    const own = collect(run);
    say(20);
    await eventually('half of it is there', () => own.tokens() === 20);
    const other = collect(two.attach(run.id, principal));
    await eventually('on both', () => other.tokens() === 20);
    await admin.flushall();
    say(20);
    await Promise.all([own.ended, other.ended]);
    expect(other.events).toEqual(own.events);
    expect(own.tokens()).toBe(40);
    expect(own.events.some(({ type }) => type === 'snapshot')).toBe(false);
  });

  it('F19: finish runs and tell their readers while Redis is away', async () => {
    const server = await privateRedis();
    const { model, say } = toldModel();
    const [one, two] = await assistants(server.url, { model });
    const run = one.run('Hello', principal);
    const own = collect(run);
    say(20);
    await eventually('half of it is there', () => own.tokens() === 20);
    const other = collect(two.attach(run.id, principal));
    await eventually('on both', () => other.tokens() === 20);
    await server.crash();
    say(20);
    const { text } = await run.result();
    expect(text).toBe(words.join(''));
    await Promise.all([own.ended, other.ended]);
    expect(own.events.at(-1)?.type).toBe('complete');
    expect(other.events.at(-1)?.type).toBe('complete');
  });

  it('F21: are not held up by the stream that a run of the same name left of another database', async () => {
    const { url } = await privateRedis();
    const { model, say } = toldModel();
    say(words.length);
    const request = { ...principal, requestId: 'r-1' };
    const [before] = await assistants(url, { model });
    const old = before.run('Hello', request);
    await old.result();
    const { liveLog } = before.stores;
    const record = await before.stores.runs.load(old.id, null);
    // Its last owner was a late one.
    if (record) liveLog.open(record, 9).publish({ ...at(old.id), cursor: '9-0' });
    // The same Redis, a new database.
    const [after, other] = await assistants(url, { model });
    const run = after.run('Hello', request);
    expect(run.id).toBe(old.id);
    const own = collect(run);
    await eventually('it has begun', () => own.tokens() > 0);
    const seen = collect(other.attach(run.id, principal));
    expect((await run.result()).text).toBe(words.join(''));
    await seen.ended;
    expect(seen.tokens()).toBe(words.length);
    expect(seen.events.at(-1)?.type).toBe('complete');
  });

  it('carry on a run that a person decided on at the other one', async () => {
    const { url } = await privateRedis();
    let sent = 0;
    const send = tool({
      name: 'send',
      description: 'Send it',
      parameters: { type: 'object', properties: {} },
      execute: () => `sent ${++sent}`,
    });
    const model = scriptedModel([
      { toolCalls: [{ name: 'send', args: {} }] },
      { text: 'It is sent.' },
    ]);
    const [one, two] = await assistants(url, { model, tools: [send] });
    const run = one.run('Send it', principal);
    const own = collect(run);
    const { confirmations } = await run.result();
    const [asked] = confirmations;
    const other = two.attach(run.id, principal);
    const seen = collect(other);
    await other.confirm(asked?.callId ?? '', { approve: true });
    await Promise.all([own.ended, seen.ended]);
    expect(seen.events).toEqual(own.events);
    expect((await run.result()).text).toBe('It is sent.');
    expect(sent).toBe(1);
  });
});
