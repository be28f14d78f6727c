import assert from 'node:assert/strict';
import { atOnce } from './assertions.ts';
import {
  abandonedRun,
  beginBy,
  callOf,
  claimBy,
  claimed,
  decisionOf,
  ended,
  event,
  long,
  longer,
  newRun,
  type RunStoreCase,
  requestOf,
  short,
  startRun,
  stored,
  turnOf,
  waitingRun,
  withCalls,
} from './run-store-samples.ts';

const limits = { queuedForMs: long, limit: 100 };

export const ownershipCases: readonly RunStoreCase[] = [
  {
    title: 'lets nobody claim a run under a live lease',
    async run(context) {
      const { run } = await startRun(context);
      assert.equal(await context.store.runs.claim(run.runId, claimBy('process-2', long)), null);
      assert.equal((await stored(context, run.runId)).epoch, 1);
    },
  },
  {
    title: 'lets nobody claim what is unknown, waiting or ended',
    async run(context) {
      const { runs } = context.store;
      const waiting = await waitingRun(context, [callOf()]);
      const over = await startRun(context);
      await runs.finish(over.fence, ended, null, []);
      for (const runId of ['run_unknown', waiting.run.runId, over.run.runId]) {
        assert.equal(await runs.claim(runId, claimBy('process-2', long)), null);
      }
    },
  },
  {
    title: 'gives a run whose lease ran out to a new owner under a higher epoch',
    async run(context) {
      const { run } = await abandonedRun(context);
      const claim = await claimed(context, run.runId);
      assert.ok(claim.now >= run.createdAt + longer, 'the time is that of the claim');
      assert.deepEqual([claim.run.epoch, claim.run.status, claim.takeovers], [2, 'running', 1]);
    },
  },
  {
    title: 'gives an abandoned run to one of 50 that claim it at once',
    async run(context) {
      const { run } = await abandonedRun(context);
      const other = await context.reopen();
      const claims = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.claim(
          run.runId,
          claimBy(`process-${index}`, long),
        ),
      );
      assert.equal(claims.filter((claim) => claim !== null).length, 1);
      assert.equal((await stored(context, run.runId)).epoch, 2);
    },
  },
  {
    title: 'counts lost owners until the run gets on',
    async run(context) {
      const { runs } = context.store;
      const { run } = await abandonedRun(context);
      const lose = async () => {
        const claim = await runs.claim(run.runId, claimBy('lost', short));
        assert.ok(claim);
        await context.passTime(longer);
        return { ...claim, fence: { runId: run.runId, epoch: claim.run.epoch } };
      };
      assert.equal((await lose()).takeovers, 1);
      const second = await lose();
      assert.equal(second.takeovers, 2);
      await runs.append(second.fence, [event(second.fence, 0)]);
      const third = await lose();
      assert.equal(third.takeovers, 3, 'an appended event alone is no progress');
      await runs.commitTurn(third.fence, turnOf(1), [], []);
      assert.equal((await lose()).takeovers, 1);
    },
  },
  {
    title: 'does not take the restart of a call for progress',
    async run(context) {
      const { runs } = context.store;
      const call = callOf({ effect: 'read', authorization: 'waived:read' });
      const { fence } = await withCalls(context, [call], {
        claim: beginBy('lost', short),
      });
      await runs.startCall(fence, requestOf(call), [event(fence, 0)]);
      await context.passTime(longer);
      const claim = await runs.claim(fence.runId, claimBy('lost', short));
      assert.equal(claim?.takeovers, 1);
      const second = { runId: fence.runId, epoch: 2 };
      await runs.startCall(second, requestOf(call), [event(second, 0)]);
      await context.passTime(longer);
      assert.equal((await claimed(context, fence.runId)).takeovers, 2);
    },
  },
  {
    title: 'renews leases that are held and leaves out those that are lost',
    async run(context) {
      const { runs } = context.store;
      const held = await startRun(context, { claim: beginBy('process-1', short) });
      const lost = await startRun(context);
      await runs.release(lost.fence);
      const unknown = { runId: 'run_unknown', epoch: 1 };
      const renewals = await runs.renew([held.fence, lost.fence, unknown], long);
      assert.deepEqual(renewals, [
        { runId: held.run.runId, cancelRequested: false, steerCount: 0, answerCount: 0 },
      ]);
      await context.passTime(longer);
      assert.equal(await runs.claim(held.run.runId, claimBy('process-2', long)), null);
    },
  },
  {
    title: 'does not renew the lease of an owner that was replaced',
    async run(context) {
      const old = await abandonedRun(context);
      await claimed(context, old.run.runId);
      assert.deepEqual(await context.store.runs.renew([old.fence], long), []);
    },
  },
  {
    title: 'gives a released run to the next owner at once, which is no lost owner',
    async run(context) {
      const { run, fence } = await startRun(context);
      const [wake] = await context.store.runs.release(fence);
      assert.equal(wake?.runId, run.runId);
      assert.ok((wake?.segment ?? 0) > run.segment);
      assert.equal((await stored(context, run.runId)).status, 'queued');
      const claim = await claimed(context, run.runId);
      assert.deepEqual([claim.run.epoch, claim.takeovers], [2, 0]);
    },
  },
  {
    title: 'keeps runs over a restart, ready for a new owner',
    async run(context) {
      const call = callOf();
      const { run } = await withCalls(context, [call], { claim: beginBy('lost', short) });
      await context.passTime(longer);
      const reopened = await context.reopen();
      const claim = await reopened.runs.claim(run.runId, claimBy('process-2', long));
      assert.deepEqual(claim?.run.calls[0]?.args, call.args);
      assert.equal(claim?.run.turns[0]?.message.content, 'turn 1');
      assert.equal(claim?.run.incarnation, run.incarnation);
    },
  },
  {
    title: 'sweeps up runs whose lease ran out, and no others',
    async run(context) {
      await startRun(context);
      await waitingRun(context, [callOf()]);
      const { run } = await abandonedRun(context);
      assert.deepEqual(await context.store.runs.sweep(limits), [
        // The segment of the lost owner may still be taken for running by an engine.
        { runId: run.runId, segment: run.segment + 1 },
      ]);
      assert.equal((await claimed(context, run.runId)).run.segment, run.segment + 1);
    },
  },
  {
    title: 'sweeps up runs that are queued for too long, but not those behind others',
    async run(context) {
      const { runs } = context.store;
      const conversation = { conversationId: 'c-1', onBusy: 'queue' } as const;
      const { run, fence } = await startRun(context, conversation);
      await runs.create(newRun(conversation));
      await runs.release(fence);
      assert.deepEqual(await runs.sweep(limits), []);
      await context.passTime(longer);
      const wakes = await runs.sweep({ queuedForMs: short, limit: 100 });
      assert.deepEqual(
        wakes.map(({ runId }) => runId),
        [run.runId],
      );
    },
  },
  {
    title: 'sweeps up queued runs past their deadline',
    async run(context) {
      const { run, fence } = await startRun(context, { deadlineMs: short });
      await context.store.runs.release(fence);
      await context.passTime(longer);
      const wakes = await context.store.runs.sweep(limits);
      assert.deepEqual(
        wakes.map(({ runId }) => runId),
        [run.runId],
      );
    },
  },
  {
    title: 'sweeps up a waiting run once its confirmation expired',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call], { decideWithinMs: short });
      await context.passTime(longer);
      const [wake] = await runs.sweep(limits);
      assert.equal(wake?.runId, run.runId);
      assert.ok((wake?.segment ?? 0) > run.segment);
      const claim = await claimed(context, run.runId);
      assert.equal(claim.run.calls[0]?.confirmation?.status, 'expired');
      const late = await runs.decide(decisionOf(run.runId, call));
      assert.equal('code' in late && late.code, 'confirmation_expired');
    },
  },
  {
    title: 'does not count the time of waiting for a person against the deadline',
    async run(context) {
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      await context.passTime(100);
      await context.store.runs.decide(decisionOf(run.runId, call));
      const claim = await claimed(context, run.runId);
      assert.ok(claim.run.deadlineAt >= run.deadlineAt + 100);
    },
  },
  {
    title: 'returns no more wakes than a sweep is asked for',
    async run(context) {
      for (let count = 0; count < 3; count++) {
        await startRun(context, { claim: beginBy('lost', short) });
      }
      await context.passTime(longer);
      assert.equal((await context.store.runs.sweep({ ...limits, limit: 2 })).length, 2);
    },
  },
];
