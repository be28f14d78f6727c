import type { NewRun, RunStore } from '@steward/core';
import { type FaultProxy, faultProxy } from '@steward/core/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PostgresStores, postgresStores } from '../src/index.ts';
import { databases, type TestStores } from './drivers.ts';
import { callOf, claimBy, newRun, owner } from './samples.ts';

const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;
const message = { role: 'assistant', content: '' } as const;
const turn = { turn: 1, message, finishReason: null, responseId: null, usage: null };
const limits = { queuedForMs: 0, limit: 100 };
const [server] = databases;

describe.skipIf(inject('postgresUrl') === null)('an answer that is lost on its way', () => {
  let proxy: FaultProxy;
  let sound: TestStores;
  let stores: PostgresStores;
  let runs: RunStore;

  beforeAll(async () => {
    if (server === undefined) throw new Error('no server');
    sound = await server.open();
    proxy = await faultProxy({ target: inject('postgresUrl') ?? '' });
    stores = await postgresStores({ connectionString: proxy.url, schema: sound.schema });
    runs = stores.runs;
  });

  afterAll(async () => {
    await stores.close();
    await proxy.close();
    await server?.close(sound);
  });

  /** Does something that takes effect, and whose connection breaks before the answer. */
  async function unheard<T>(verb: () => Promise<T>): Promise<T> {
    await proxy.set({ kind: 'lose_answers', times: 1 });
    const answer = await verb();
    expect(proxy.struck, 'answers lost').toBe(1);
    return answer;
  }

  /** An owned run. */
  async function started(changes: Partial<NewRun> = {}) {
    const run = newRun(changes);
    await runs.create(run);
    const fence = { runId: run.runId, epoch: 1 };
    const event = (k: number) =>
      ({
        type: 'warning',
        ...fence,
        at: 1,
        cursor: `1-${k}`,
        code: 'internal',
        message: '',
      }) as const;
    return { run, fence, event };
  }

  /** An owned run with a call. */
  async function withCall(authorization: 'confirm' | 'waived:test' = 'waived:test') {
    const call = callOf({ authorization });
    const { fence, event } = await started();
    await runs.commitTurn(fence, turn, [call], []);
    const ask = [{ callId: call.callId, decideWithinMs: 60_000 }];
    const { callId, argsDigest } = call;
    const decision = { ...owner, runId: fence.runId, callId, argsDigest, useWithinMs: 60_000 };
    return { fence, event, call, ask, decision: { ...decision, approve: true } };
  }

  async function stored(runId: string) {
    const run = await runs.load(runId, owner);
    if (run === null) throw new Error('no run');
    return run;
  }

  const actionsOf = async (runId: string) =>
    (await stores.audit.read(owner, runId)).map(({ action }) => action);

  it('create: one run, one question, the first events once, and what was said before', async () => {
    const before = await started();
    await runs.finish(before.fence, ended, { content: 'Done.' }, []);
    const { conversationId } = before.run;
    const run = newRun({ conversationId });
    const asked = { ...run, claim: { ...run.claim, events: [before.event(0)] } };
    const outcome = await unheard(() => runs.create(asked));
    expect(outcome).toMatchObject({ kind: 'claimed', run: await stored(run.runId) });
    expect('history' in outcome && outcome.history).toHaveLength(2);
    expect(await stores.conversations.read(owner, conversationId, { limit: 9 })).toHaveLength(3);
    expect((await runs.create(asked)).kind).toBe('request_conflict');
  });

  it('create: with a request id, too, the run is owned by who asked', async () => {
    const run = newRun({ requestId: 'r-1', requestDigest: 'd' });
    expect((await unheard(() => runs.create(run))).kind).toBe('claimed');
    expect((await runs.create(run)).kind).toBe('existing');
  });

  it('create: names the superseded run that somebody has to end', async () => {
    const { fence, run, event } = await started();
    const call = callOf();
    await runs.commitTurn(fence, turn, [call], []);
    await runs.pause(fence, [{ callId: call.callId, decideWithinMs: 60_000 }], [event(1)]);
    const { conversationId } = run;
    const next = newRun({ conversationId, onBusy: 'supersede' });
    const outcome = await unheard(() => runs.create(next));
    expect(outcome).toMatchObject({ kind: 'queued', wake: [{ runId: run.runId, segment: 1 }] });
  });

  it('claim: one new epoch, and an owner lost once', async () => {
    const { run } = await started({ claim: { ...claimBy('lost'), ttlMs: 0, events: [] } });
    const claim = await unheard(() => runs.claim(run.runId, claimBy('process-2')));
    expect([claim?.run.epoch, claim?.takeovers]).toEqual([2, 1]);
    expect(await runs.claim(run.runId, claimBy('process-3'))).toBe(null);
  });

  it('renew: the lease is held', async () => {
    const { fence } = await started();
    expect(await unheard(() => runs.renew([fence], 60_000))).toHaveLength(1);
  });

  it('release: wakes one segment', async () => {
    const { fence } = await started();
    const wake = { runId: fence.runId, segment: 1 };
    expect(await unheard(() => runs.release(fence))).toEqual([wake]);
    await expect(runs.release(fence)).rejects.toMatchObject({ code: 'fenced' });
    expect(await runs.claim(fence.runId, claimBy('process-2'))).toMatchObject({ takeovers: 0 });
  });

  it('append, savePartial, commitTurn: events, turns and usage are not doubled', async () => {
    const { fence, event } = await started();
    const partial = { turn: 1, text: 'Do', cursor: '1-2' };
    await unheard(() => runs.append(fence, [event(1), event(2)]));
    await unheard(() => runs.savePartial(fence, partial));
    expect((await stored(fence.runId)).partial).toEqual(partial);
    const usage = { totalTokens: 7, inputTokens: 7, outputTokens: 0, cachedTokens: 0 };
    const used = { ...turn, usage: { ...usage, reasoningTokens: 0 } };
    await unheard(() => runs.commitTurn(fence, used, [], [event(3)]));
    const run = await stored(fence.runId);
    expect([run.eventCount, run.turns.length, run.usage.totalTokens]).toEqual([3, 1, 7]);
  });

  it('startCall: a write that was not begun is not unknown', async () => {
    const { fence, call, event } = await withCall();
    const start = await unheard(() => runs.startCall(fence, call, [event(1)]));
    expect(start).toEqual({ kind: 'go', attempt: 1 });
    const run = await stored(fence.runId);
    expect([run.calls[0]?.starts, run.eventCount]).toEqual([1, 1]);
    // Another start is another matter.
    expect(await runs.startCall(fence, call, [])).toEqual({ kind: 'unknown' });
  });

  it('finishCall: the result counts, so that its event is shown; another one does not', async () => {
    const { fence, call, event } = await withCall();
    const result = { outcome: 'succeeded', content: 'sent' } as const;
    await runs.startCall(fence, call, []);
    const finish = (k: number) => runs.finishCall(fence, call.callId, result, [event(k)]);
    expect(await unheard(() => finish(1))).toBe(true);
    expect(await finish(2)).toBe(false);
    expect((await stored(fence.runId)).eventCount).toBe(1);
    expect(await actionsOf(fence.runId)).toEqual(['call.started', 'call.finished']);
  });

  it('pause: the run waits, and its questions are asked once', async () => {
    const { fence, event, ask } = await withCall('confirm');
    expect(await unheard(() => runs.pause(fence, ask, [event(1)]))).toBe('paused');
    expect(await stored(fence.runId)).toMatchObject({ status: 'waiting', eventCount: 1 });
    await expect(runs.pause(fence, ask, [event(1)])).rejects.toMatchObject({ code: 'fenced' });
  });

  it('pause: goes on where nobody has anything to decide', async () => {
    const { fence, event, ask } = await withCall('confirm');
    await runs.requestCancel(fence.runId, owner);
    expect(await unheard(() => runs.pause(fence, ask, [event(1)]))).toBe('go_on');
    expect((await stored(fence.runId)).eventCount).toBe(1);
  });

  it('decide: who decided is told so, and who comes later is not', async () => {
    const { fence, ask, decision } = await withCall('confirm');
    await runs.pause(fence, ask, []);
    const wake = [{ runId: fence.runId, segment: 1 }];
    const outcome = await unheard(() => runs.decide(decision));
    expect(outcome).toEqual({ kind: 'decided', status: 'approved', wake });
    expect(await runs.decide(decision)).toMatchObject({ code: 'already_decided' });
    expect(await actionsOf(fence.runId)).toEqual(['confirmation.approved']);
  });

  it('requestInput, answerInput: asked once, answered once, by who answered', async () => {
    const { fence, call, event } = await withCall();
    const input = { requestId: 'i-1', callId: call.callId, server: 's', message: 'm' };
    await unheard(() => runs.requestInput(fence, input, [event(1)]));
    expect(await stored(fence.runId)).toMatchObject({ eventCount: 1, inputs: [input] });
    const answer = () => runs.answerInput(fence.runId, owner, 'i-1', { yes: true });
    expect(await unheard(answer)).toBe('answered');
    expect(await answer()).toBe('already_decided');
  });

  it('steer, applySteers: said once, applied once', async () => {
    const { fence, event } = await started();
    const steer = { steerId: 's-1', text: 'shorter' };
    expect(await unheard(() => runs.steer(fence.runId, owner, steer))).toBe('ok');
    await unheard(() => runs.applySteers(fence, ['s-1'], 1, [event(1)]));
    const run = await stored(fence.runId);
    expect([run.steers, run.eventCount]).toEqual([[{ ...steer, turn: 1 }], 1]);
  });

  it('requestCancel: wakes the run that nobody has', async () => {
    const { fence, ask } = await withCall('confirm');
    await runs.pause(fence, ask, []);
    const wake = [{ runId: fence.runId, segment: 1 }];
    const outcome = await unheard(() => runs.requestCancel(fence.runId, owner));
    expect(outcome).toEqual({ found: true, wake });
    expect(await actionsOf(fence.runId)).toEqual(['confirmation.declined']);
  });

  it('finish: one end, one answer, and the next run is woken', async () => {
    const { fence, run, event } = await started();
    const { conversationId } = run;
    const next = newRun({ conversationId, onBusy: 'queue' });
    await runs.create(next);
    const end = () => runs.finish(fence, ended, { content: 'Done.' }, [event(1)]);
    expect(await unheard(end)).toEqual([{ runId: next.runId, segment: 0 }]);
    expect(await stored(fence.runId)).toMatchObject({ status: 'succeeded', eventCount: 1 });
    expect(await stores.conversations.read(owner, conversationId, { limit: 9 })).toHaveLength(3);
    expect(await actionsOf(fence.runId)).toEqual(['run.ended']);
  });

  it('sweep: finds what it found again, once it is queued for so long', async () => {
    const { run } = await started({ claim: { ...claimBy('lost'), ttlMs: 0, events: [] } });
    const wakes = await unheard(() => runs.sweep(limits));
    expect(wakes.map(({ runId }) => runId)).toContain(run.runId);
  });
});
