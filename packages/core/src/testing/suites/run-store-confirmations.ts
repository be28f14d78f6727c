import assert from 'node:assert/strict';
import type { DecideOutcome, PlannedCall } from '../../stores/run-store.ts';
import { atOnce, rejectsWith } from './assertions.ts';
import {
  auditOf,
  callOf,
  claimBy,
  claimed,
  decisionOf,
  ended,
  event,
  long,
  longer,
  owner,
  type RunStoreCase,
  short,
  startRun,
  stored,
  strangers,
  success,
  waitingRun,
  withCalls,
} from './run-store-samples.ts';

const codeOf = (outcome: DecideOutcome) => ('code' in outcome ? outcome.code : outcome.status);
const ask = (calls: readonly PlannedCall[], decideWithinMs = long) =>
  calls.map(({ callId }) => ({ callId, decideWithinMs }));

export const confirmationCases: readonly RunStoreCase[] = [
  {
    title: 'asks all confirmations of a turn at once and releases the run',
    async run(context) {
      const calls = [callOf(), callOf({ index: 1 })];
      const { fence } = await withCalls(context, calls);
      const { runs } = context.store;
      assert.equal(await runs.pause(fence, ask(calls), [event(fence, 0)]), 'paused');
      const run = await stored(context, fence.runId);
      assert.deepEqual([run.status, run.eventCount], ['waiting', 1]);
      for (const [index, call] of run.calls.entries()) {
        assert.equal(call.status, 'waiting');
        assert.ok(call.confirmation);
        const { expiresAt, ...confirmation } = call.confirmation;
        assert.ok(expiresAt >= run.createdAt + long);
        assert.deepEqual(confirmation, {
          callId: calls[index]?.callId,
          argsDigest: call.argsDigest,
          definitionHash: call.definitionHash,
          status: 'pending',
          decidedAt: null,
          decidedBy: null,
        });
      }
      assert.equal(await runs.claim(fence.runId, claimBy('process-2', long)), null);
      await rejectsWith('fenced', runs.append(fence, [event(fence, 1)]));
    },
  },
  {
    title: 'goes on when nothing is pending',
    async run(context) {
      const { fence } = await startRun(context);
      assert.equal(await context.store.runs.pause(fence, [], []), 'go_on');
      assert.equal((await stored(context, fence.runId)).status, 'running');
    },
  },
  {
    title: 'asks once about a call, also when a later owner asks again',
    async run(context) {
      const { runs } = context.store;
      const [first, second] = [callOf(), callOf({ index: 1 })];
      const { run } = await waitingRun(context, [first]);
      await runs.decide(decisionOf(run.runId, first));
      const { fence } = await claimed(context, run.runId);
      assert.equal(await runs.pause(fence, ask([first]), []), 'go_on');
      await runs.commitTurn(
        fence,
        {
          turn: 2,
          message: { role: 'assistant', content: '' },
          finishReason: null,
          responseId: null,
          usage: null,
        },
        [second],
        [],
      );
      assert.equal(await runs.pause(fence, ask([first, second]), []), 'paused');
      const { calls } = await stored(context, run.runId);
      assert.deepEqual(
        calls.map(({ confirmation }) => confirmation?.status),
        ['approved', 'pending'],
      );
    },
  },
  {
    title: 'does not ask about a call that needs no confirmation or is not planned',
    async run(context) {
      const waived = callOf({ authorization: 'waived:test' });
      const { fence } = await withCalls(context, [waived]);
      for (const call of [waived, callOf()]) {
        await rejectsWith('not_found', context.store.runs.pause(fence, ask([call]), []));
      }
      assert.equal((await stored(context, fence.runId)).status, 'running');
    },
  },
  {
    title: 'queues the run again with its last decision, not before',
    async run(context) {
      const { runs } = context.store;
      const [first, second] = [callOf(), callOf({ index: 1 })];
      const { run } = await waitingRun(context, [first, second]);
      const one = await runs.decide(decisionOf(run.runId, first));
      assert.deepEqual(one, { kind: 'decided', status: 'approved', wake: [] });
      assert.equal((await stored(context, run.runId)).status, 'waiting');
      const two = await runs.decide(decisionOf(run.runId, second, { approve: false }));
      assert.equal(codeOf(two), 'declined');
      assert.equal(two.wake[0]?.runId, run.runId);
      assert.ok((two.wake[0]?.segment ?? 0) > run.segment);
      const { run: resumed } = await claimed(context, run.runId);
      assert.deepEqual(
        resumed.calls.map(({ confirmation }) => [confirmation?.status, confirmation?.decidedBy]),
        [
          ['approved', 'user-1'],
          ['declined', 'user-1'],
        ],
      );
      const actions = await auditOf(context, run.runId);
      assert.deepEqual(actions, ['confirmation.approved', 'confirmation.declined']);
    },
  },
  {
    title: 'decides once when two tabs press at the same moment',
    async run(context) {
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.decide(
          decisionOf(run.runId, call, { approve: index % 3 !== 0 }),
        ),
      );
      const winners = outcomes.filter(({ kind }) => kind === 'decided');
      assert.equal(winners.length, 1);
      assert.equal(outcomes.filter((one) => codeOf(one) === 'already_decided').length, 49);
      assert.equal(outcomes.flatMap(({ wake }) => wake).length, 1);
      const [record] = (await stored(context, run.runId)).calls;
      assert.equal(record?.confirmation?.status, winners[0] && codeOf(winners[0]));
      assert.equal((await auditOf(context, run.runId)).length, 1);
    },
  },
  {
    title: 'does not change a decision',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      await runs.decide(decisionOf(run.runId, call, { approve: false }));
      const again = await runs.decide(decisionOf(run.runId, call));
      assert.deepEqual([codeOf(again), again.wake], ['already_decided', []]);
      const [record] = (await stored(context, run.runId)).calls;
      assert.equal(record?.confirmation?.status, 'declined');
    },
  },
  {
    title: 'refuses a decision about other arguments and stays open for the right one',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      const wrong = await runs.decide(decisionOf(run.runId, call, { argsDigest: 'other' }));
      assert.equal(codeOf(wrong), 'args_mismatch');
      assert.equal(codeOf(await runs.decide(decisionOf(run.runId, call))), 'approved');
    },
  },
  {
    title: 'refuses a decision that comes too late and wakes the run',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call], { decideWithinMs: short });
      await context.passTime(longer);
      const late = await runs.decide(decisionOf(run.runId, call));
      assert.equal(codeOf(late), 'confirmation_expired');
      assert.equal(late.wake[0]?.runId, run.runId);
      const again = await runs.decide(decisionOf(run.runId, call));
      assert.deepEqual([codeOf(again), again.wake], ['confirmation_expired', []]);
      const claim = await claimed(context, run.runId);
      assert.equal(claim.run.calls[0]?.confirmation?.status, 'expired');
      assert.deepEqual(await auditOf(context, run.runId), ['confirmation.expired']);
    },
  },
  {
    title: 'knows no confirmation of a call that nobody was asked about, and none of strangers',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { fence } = await withCalls(context, [call]);
      assert.equal(codeOf(await runs.decide(decisionOf(fence.runId, call))), 'not_found');
      assert.equal(codeOf(await runs.decide(decisionOf('run_unknown', call))), 'not_found');
      await runs.pause(fence, ask([call]), []);
      for (const stranger of strangers) {
        const outcome = await runs.decide(decisionOf(fence.runId, call, stranger));
        assert.deepEqual([codeOf(outcome), outcome.wake], ['not_found', []]);
      }
      const [record] = (await stored(context, fence.runId)).calls;
      assert.equal(record?.confirmation?.status, 'pending');
    },
  },
  {
    title: 'does not wait for a person in a run that was asked to end',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { fence } = await withCalls(context, [call]);
      await runs.requestCancel(fence.runId, owner);
      assert.equal(await runs.pause(fence, ask([call]), []), 'go_on');
      const outcome = await runs.decide(decisionOf(fence.runId, call));
      assert.equal(codeOf(outcome), 'already_decided');
    },
  },
  {
    title: 'takes no decision after the run has ended',
    async run(context) {
      const { runs } = context.store;
      const [first, second] = [callOf(), callOf({ index: 1 })];
      const { run } = await waitingRun(context, [first, second]);
      await runs.requestCancel(run.runId, owner);
      const { fence } = await claimed(context, run.runId);
      await runs.finishCall(fence, first.callId, success, []);
      await runs.finish(fence, { ...ended, status: 'cancelled' }, null, []);
      const outcome = await runs.decide(decisionOf(run.runId, second));
      assert.equal(outcome.kind, 'refused');
      assert.deepEqual(outcome.wake, []);
    },
  },
  {
    title: 'keeps what was asked over a restart',
    async run(context) {
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      const reopened = await context.reopen();
      const outcome = await reopened.runs.decide(decisionOf(run.runId, call));
      assert.equal(outcome.wake[0]?.runId, run.runId);
    },
  },
];
