import type { RunStore } from '@steward/core';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type PostgresStores, postgresStores } from '../src/index.ts';
import { databases, type TestStores } from './drivers.ts';
import { callOf, claimBy, newRun, owner } from './samples.ts';

const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;
const message = { role: 'assistant', content: '' } as const;
const turn = { turn: 1, message, finishReason: null, responseId: null, usage: null };
const [server] = databases;

/** Answers that are still to be lost. */
let losses = 0;

/** Makes a connection break, while there are losses to come, after the server did what it was asked. */
function breakAfterwards(client: pg.PoolClient): void {
  const query: unknown = Reflect.get(client, 'query');
  if (typeof query !== 'function') return;
  const breaking = async (...given: unknown[]): Promise<unknown> => {
    const answer: unknown = await Reflect.apply(query, client, given);
    if (losses === 0) return answer;
    losses -= 1;
    throw Object.assign(new Error('The connection broke.'), { code: 'ECONNRESET' });
  };
  Object.assign(client, { query: breaking });
}

describe.skipIf(inject('postgresUrl') === null)('an answer that is lost on its way', () => {
  const pool = new pg.Pool({ connectionString: inject('postgresUrl') ?? '' });
  pool.on('connect', breakAfterwards);
  let sound: TestStores;
  let stores: PostgresStores;

  beforeAll(async () => {
    if (server === undefined) throw new Error('no server');
    sound = await server.open();
    stores = await postgresStores({ pool, schema: sound.schema });
  });

  afterAll(async () => {
    await stores.close();
    await pool.end();
    await server?.close(sound);
  });

  let fence = { runId: '', epoch: 1 };
  let call = callOf();

  beforeEach(async () => {
    const run = newRun();
    call = callOf({ authorization: 'waived:test' });
    fence = { runId: run.runId, epoch: 1 };
    await stores.runs.create(run);
    await stores.runs.commitTurn(fence, turn, [call], []);
  });

  /** Does something whose first two answers are lost. */
  async function unheard<T>(verb: (runs: RunStore) => Promise<T>): Promise<T> {
    losses = 2;
    try {
      const answer = await verb(stores.runs);
      expect(losses).toBe(0);
      return answer;
    } finally {
      losses = 0;
    }
  }

  const event = (k: number) =>
    ({
      type: 'warning',
      runId: fence.runId,
      at: 1,
      cursor: `1-${k}`,
      code: 'internal',
      message: '',
    }) as const;

  const stored = async () => {
    const run = await stores.runs.load(fence.runId, owner);
    if (run === null) throw new Error('no run');
    return run;
  };

  it('does not make a run twice, nor one that nobody owns', async () => {
    const run = newRun();
    expect((await unheard((runs) => runs.create(run))).kind).toBe('claimed');
    const window = { limit: 9 };
    expect(await stores.conversations.read(owner, run.conversationId, window)).toHaveLength(1);
    expect((await stores.runs.create(run)).kind).toBe('request_conflict');
  });

  it('does not double events, turns or usage', async () => {
    await unheard((runs) => runs.append(fence, [event(1), event(2)]));
    const usage = { totalTokens: 7, inputTokens: 7, outputTokens: 0, cachedTokens: 0 };
    const second = { ...turn, turn: 2, usage: { ...usage, reasoningTokens: 0 } };
    await unheard((runs) => runs.commitTurn(fence, second, [], [event(3)]));
    const run = await stored();
    expect([run.eventCount, run.turns.length, run.usage.totalTokens]).toEqual([3, 2, 7]);
  });

  it('does not make the outcome of a write unknown that was not begun', async () => {
    const started = await unheard((runs) => runs.startCall(fence, call, [event(1)]));
    expect(started).toEqual({ kind: 'go', attempt: 1 });
    const run = await stored();
    expect([run.calls[0]?.starts, run.eventCount]).toEqual([1, 1]);
    // Another start is another matter.
    expect(await stores.runs.startCall(fence, call, [])).toEqual({ kind: 'unknown' });
  });

  it('does not end a call or a run twice', async () => {
    const result = { outcome: 'succeeded', content: 'sent' } as const;
    await stores.runs.startCall(fence, call, []);
    await unheard((runs) => runs.finishCall(fence, call.callId, result, [event(1)]));
    await unheard((runs) => runs.finish(fence, ended, { content: 'Done.' }, [event(2)]));
    const run = await stored();
    expect([run.status, run.eventCount]).toEqual(['succeeded', 2]);
    const actions = (await stores.audit.read(owner, run.runId)).map(({ action }) => action);
    expect(actions).toEqual(['call.started', 'call.finished', 'run.ended']);
  });

  it('gives a run that is claimed to who asked, under one new epoch', async () => {
    await unheard((runs) => runs.release(fence));
    const claim = await unheard((runs) => runs.claim(fence.runId, claimBy('process-2')));
    expect([claim?.run.epoch, claim?.takeovers]).toEqual([2, 0]);
  });
});
