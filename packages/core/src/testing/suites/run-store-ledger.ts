import assert from 'node:assert/strict';
import type { CallResult, Fence, PlannedCall, StartOutcome } from '../../stores/run-store.ts';
import { atOnce, rejectsWith } from './assertions.ts';
import {
  approvedRun,
  auditOf,
  beginBy,
  callOf,
  claimed,
  decisionOf,
  event,
  longer,
  owner,
  type RunStoreCase,
  type RunStoreSubject,
  requestOf,
  short,
  stored,
  success,
  waitingRun,
  withCalls,
} from './run-store-samples.ts';
import type { SuiteContext } from './suite.ts';

function start(
  { store }: SuiteContext<RunStoreSubject>,
  fence: Fence,
  call: PlannedCall,
): Promise<StartOutcome> {
  return store.runs.startCall(fence, requestOf(call), [event(fence, 7)]);
}

async function refusal(promise: Promise<StartOutcome>): Promise<string> {
  const outcome = await promise;
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}

/** A call that was started by an owner who is gone, and the claim of the next one. */
async function crashedIn(context: SuiteContext<RunStoreSubject>, call: PlannedCall) {
  const { fence } = await withCalls(context, [call], { claim: beginBy('lost', short) });
  assert.deepEqual(await start(context, fence, call), { kind: 'go', attempt: 1 });
  await context.passTime(longer);
  return claimed(context, fence.runId);
}

export const ledgerCases: readonly RunStoreCase[] = [
  {
    title: 'starts a call that needs no confirmation and notes why it could',
    async run(context) {
      const call = callOf({ authorization: 'waived:never' });
      const { fence } = await withCalls(context, [call]);
      assert.deepEqual(await start(context, fence, call), { kind: 'go', attempt: 1 });
      const run = await stored(context, fence.runId);
      const { status, starts, startedBy } = run.calls[0] ?? {};
      assert.deepEqual([status, starts, startedBy], ['started', 1, 'waived:never']);
      assert.equal(run.eventCount, 1);
      assert.deepEqual(await auditOf(context, fence.runId), ['call.started']);
    },
  },
  {
    title: 'starts an approved call, notes who approved it and consumes the confirmation',
    async run(context) {
      const call = callOf();
      const { fence } = await approvedRun(context, call);
      assert.deepEqual(await start(context, fence, call), { kind: 'go', attempt: 1 });
      const [record] = (await stored(context, fence.runId)).calls;
      assert.equal(record?.startedBy, 'confirmed:user-1');
      assert.equal(record?.confirmation?.status, 'consumed');
    },
  },
  {
    title:
      'refuses a call that nobody was asked about, or that is not decided, and writes no event',
    async run(context) {
      const call = callOf();
      const second = callOf({ index: 1 });
      const { fence } = await withCalls(context, [call, second]);
      assert.equal(await refusal(start(context, fence, call)), 'confirmation_required');
      const asked = await waitingRun(context, [call, second]);
      await context.store.runs.decide(decisionOf(asked.run.runId, call, { approve: false }));
      await context.store.runs.decide(decisionOf(asked.run.runId, second));
      const claim = await claimed(context, asked.run.runId);
      assert.equal(await refusal(start(context, claim.fence, call)), 'confirmation_required');
      assert.equal((await stored(context, fence.runId)).eventCount, 0);
    },
  },
  {
    title: 'refuses changed arguments and keeps the approval for the right ones',
    async run(context) {
      const call = callOf();
      const { fence } = await approvedRun(context, call);
      const changed = { ...call, argsDigest: 'digest-of-other-args' };
      assert.equal(await refusal(start(context, fence, changed)), 'args_mismatch');
      assert.equal((await start(context, fence, call)).kind, 'go');
    },
  },
  {
    title: 'refuses a tool whose definition changed since it was approved',
    async run(context) {
      const call = callOf();
      const { fence } = await approvedRun(context, call);
      const changed = { ...call, definitionHash: 'hash-of-other-definition' };
      assert.equal(await refusal(start(context, fence, changed)), 'tool_changed');
      assert.equal((await stored(context, fence.runId)).calls[0]?.starts, 0);
    },
  },
  {
    title: 'refuses an approval that was not used in time',
    async run(context) {
      const call = callOf();
      const { fence } = await approvedRun(context, call, { useWithinMs: short });
      await context.passTime(longer);
      assert.equal(await refusal(start(context, fence, call)), 'confirmation_expired');
      assert.equal(await refusal(start(context, fence, call)), 'confirmation_expired');
      const [record] = (await stored(context, fence.runId)).calls;
      assert.equal(record?.confirmation?.status, 'expired');
    },
  },
  {
    title: 'refuses a call that was not planned, or that belongs to another run',
    async run(context) {
      const foreign = callOf({ authorization: 'waived:test' });
      await withCalls(context, [foreign]);
      const { fence } = await withCalls(context, [callOf()]);
      assert.equal(await refusal(start(context, fence, callOf())), 'not_found');
      assert.equal(await refusal(start(context, fence, foreign)), 'not_found');
    },
  },
  {
    title: 'lets one approval start one call',
    async run(context) {
      const [first, second] = [callOf(), callOf({ index: 1 })];
      const { run } = await waitingRun(context, [first, second]);
      await context.store.runs.decide(decisionOf(run.runId, first));
      await context.store.runs.decide(decisionOf(run.runId, second, { approve: false }));
      const { fence } = await claimed(context, run.runId);
      assert.equal((await start(context, fence, first)).kind, 'go');
      assert.equal(await refusal(start(context, fence, second)), 'confirmation_required');
    },
  },
  {
    title: 'lets one of 50 starts of a write at once have the effect',
    async run(context) {
      const call = callOf();
      const { fence } = await approvedRun(context, call);
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.startCall(fence, requestOf(call), []),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === 'go').length, 1);
      assert.equal(outcomes.filter(({ kind }) => kind === 'unknown').length, 49);
    },
  },
  {
    title: 'refuses a second start of a write after a crash: it is unknown, for good',
    async run(context) {
      const call = callOf({ authorization: 'waived:test' });
      const { fence } = await crashedIn(context, call);
      assert.deepEqual(await start(context, fence, call), { kind: 'unknown' });
      assert.deepEqual(await start(context, fence, call), { kind: 'unknown' });
      assert.equal((await stored(context, fence.runId)).calls[0]?.status, 'unknown');
      const told: CallResult = { outcome: 'unknown', content: 'It may have been sent.' };
      assert.equal(await context.store.runs.finishCall(fence, call.callId, told, []), true);
      assert.deepEqual(await start(context, fence, call), { kind: 'ended', result: told });
    },
  },
  {
    title: 'says unknown, not refused, when the tool of a started write changed',
    async run(context) {
      for (const effect of ['write', 'write_idempotent'] as const) {
        const call = callOf({ effect, authorization: 'waived:test' });
        const { fence } = await crashedIn(context, call);
        const changed = { ...call, definitionHash: 'hash-of-other-definition' };
        assert.deepEqual(await start(context, fence, changed), { kind: 'unknown' });
      }
    },
  },
  {
    title: 'starts read and write_idempotent calls again after a crash',
    async run(context) {
      for (const effect of ['read', 'write_idempotent'] as const) {
        const call = callOf({ effect, authorization: 'waived:test' });
        const { fence } = await crashedIn(context, call);
        assert.deepEqual(await start(context, fence, call), { kind: 'go', attempt: 2 });
        assert.equal((await stored(context, fence.runId)).calls[0]?.starts, 2);
      }
    },
  },
  {
    title: 'lets a used confirmation start the same write_idempotent call again, but nothing else',
    async run(context) {
      const call = callOf({ effect: 'write_idempotent' });
      const { fence } = await approvedRun(context, call, { useWithinMs: 10 * longer });
      await start(context, fence, call);
      await context.passTime(longer);
      assert.deepEqual(await start(context, fence, call), { kind: 'go', attempt: 2 });
      const changed = { ...call, argsDigest: 'digest-of-other-args' };
      assert.equal(await refusal(start(context, fence, changed)), 'args_mismatch');
    },
  },
  {
    title: 'answers the start of an ended call with its stored result',
    async run(context) {
      const call = callOf({ effect: 'read', authorization: 'waived:test' });
      const { fence } = await withCalls(context, [call]);
      const result: CallResult = {
        outcome: 'failed',
        content: 'No such file.',
        code: 'tool_failed',
        artifact: { artifactId: 'a-1', bytes: 3, mediaType: 'text/plain' },
      };
      await start(context, fence, call);
      await context.store.runs.finishCall(fence, call.callId, result, []);
      assert.deepEqual(await start(context, fence, call), { kind: 'ended', result });
    },
  },
  {
    title: 'keeps the first result of a call and appends nothing with a second one',
    async run(context) {
      const { runs } = context.store;
      const call = callOf({ authorization: 'waived:test' });
      const { fence } = await withCalls(context, [call]);
      await start(context, fence, call);
      const second: CallResult = { outcome: 'failed', content: 'late' };
      assert.equal(await runs.finishCall(fence, call.callId, success, [event(fence, 8)]), true);
      assert.equal(await runs.finishCall(fence, call.callId, second, [event(fence, 9)]), false);
      const run = await stored(context, fence.runId);
      assert.deepEqual([run.calls[0]?.status, run.calls[0]?.result], ['succeeded', success]);
      assert.equal(run.lastCursor, '1-8');
      const actions = await auditOf(context, fence.runId);
      assert.deepEqual(actions, ['call.started', 'call.finished']);
    },
  },
  {
    title: 'does not finish a call that was not planned',
    async run(context) {
      const { fence } = await withCalls(context, [callOf()]);
      await rejectsWith(
        'not_found',
        context.store.runs.finishCall(fence, 'call_unknown', success, []),
      );
    },
  },
  {
    title: 'audits digests and outcomes, never arguments or results',
    async run(context) {
      const call = callOf({ args: { secret: 'sesame' } });
      const { fence } = await approvedRun(context, call);
      await start(context, fence, call);
      const result: CallResult = { outcome: 'succeeded', content: 'sesame opened' };
      await context.store.runs.finishCall(fence, call.callId, result, []);
      const records = await context.store.audit.read(owner, fence.runId);
      assert.deepEqual(
        records.map(({ action }) => action),
        ['confirmation.approved', 'call.started', 'call.finished'],
      );
      const text = JSON.stringify(records);
      assert.ok(text.includes(call.argsDigest) && !text.includes('sesame'));
      assert.equal((await context.store.audit.verify(fence.runId)).valid, true);
    },
  },
];
