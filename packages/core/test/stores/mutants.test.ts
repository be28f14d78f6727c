import { describe } from 'vitest';
import { newId } from '../../src/internal/ids.ts';
import { type InProcessDatabase, ownedKey } from '../../src/stores/in-process/database.ts';
import { inProcessAuditLog } from '../../src/stores/in-process/in-process-audit-log.ts';
import {
  appendEvents,
  findCall,
  laneOf,
  update,
  updateCall,
} from '../../src/stores/in-process/run-rows.ts';
import { claim, decide, startCall } from '../../src/stores/in-process/run-verbs.ts';
import type {
  ConfirmationRecord,
  Fence,
  HistoryWindow,
  NewRun,
  RunStore,
  Wake,
} from '../../src/stores/run-store.ts';
import { runStoreCases } from '../../src/testing/suites/run-store.ts';
import { clock } from './in-process-driver.ts';
import { type Breakage, broken, rowOf } from './mutants/broken-run-store.ts';
import { catches } from './mutants/mutant.ts';

/** Changes the confirmation of a call where there is one. */
function patchConfirmation(
  db: InProcessDatabase,
  runId: string,
  callId: string,
  changes: Partial<ConfirmationRecord>,
): void {
  const row = db.runs.get(runId);
  const confirmation = row && findCall(row, callId)?.confirmation;
  if (!row || !confirmation) return;
  updateCall(row, callId, { confirmation: { ...confirmation, ...changes } });
}

/** The owner of the run, whoever asks. */
const anyoneIsOwner = (db: InProcessDatabase, runId: string) =>
  db.runs.get(runId)?.record ?? { tenantId: '', userId: '' };

/** The run, with another wish for its conversation. */
const withHistory = (run: NewRun, history: Partial<HistoryWindow>): NewRun => ({
  ...run,
  claim: { ...run.claim, history: { ...run.claim.history, ...history } },
});

const noWake = async <T extends { wake: readonly Wake[] }>(outcome: Promise<T>): Promise<T> => ({
  ...(await outcome),
  wake: [],
});

/** The verb believes every fence. */
function unfenced(verb: keyof RunStore): Breakage {
  return (runs, db) => ({
    [verb]: (fence: Fence, ...rest: unknown[]) => {
      const { epoch } = rowOf(db, fence.runId).record;
      const original = runs[verb] as (...given: unknown[]) => Promise<unknown>;
      return original({ ...fence, epoch }, ...rest);
    },
  });
}

const fencedVerbs = [
  'release',
  'append',
  'savePartial',
  'commitTurn',
  'startCall',
  'finishCall',
  'pause',
  'requestInput',
  'applySteers',
  'finish',
] as const;

const mutants: Readonly<Record<string, readonly [caughtBy: string, breakage: Breakage]>> = {
  'writing to an ended run': [
    'refuses append once the run has ended',
    (_, db) => ({
      append: async ({ runId }, events) => appendEvents(rowOf(db, runId), events),
    }),
  ],
  'a renewal without a fence': [
    'does not renew the lease of an owner that was replaced',
    (runs, db) => ({
      renew: (fences, ttlMs) =>
        runs.renew(
          fences.map(({ runId }) => ({ runId, epoch: rowOf(db, runId).record.epoch })),
          ttlMs,
        ),
    }),
  ],
  'a lost append': [
    'numbers durable events from 1 without a gap, whichever verb appends them',
    () => ({ append: async () => {} }),
  ],
  'a doubled append': [
    'numbers durable events from 1 without a gap, whichever verb appends them',
    (runs) => ({ append: (fence, events) => runs.append(fence, [...events, ...events]) }),
  ],
  'a gap in the numbers': [
    'numbers durable events from 1 without a gap, whichever verb appends them',
    (runs) => ({
      events: async (...given) =>
        (await runs.events(...given)).map((one) => ({ ...one, n: one.n > 3 ? one.n + 1 : one.n })),
    }),
  ],
  'a second start of a write': [
    'refuses a second start of a write after a crash: it is unknown, for good',
    (runs) => ({
      startCall: async (...given) => {
        const outcome = await runs.startCall(...given);
        return outcome.kind === 'unknown' ? { kind: 'go', attempt: 2 } : outcome;
      },
    }),
  ],
  'starts of a write at once': [
    'lets one of 50 starts of a write at once have the effect',
    (_runs, db) => ({
      startCall: async (fence, call, events) => {
        const record = findCall(rowOf(db, fence.runId), call.callId);
        await Promise.resolve();
        if (record?.starts === 0) updateCall(rowOf(db, fence.runId), call.callId, record);
        return startCall(db, fence, call, events);
      },
    }),
  ],
  'an approval used for other arguments': [
    'refuses changed arguments and keeps the approval for the right ones',
    (runs, db) => ({
      startCall: (fence, call, events) => {
        const argsDigest = findCall(rowOf(db, fence.runId), call.callId)?.argsDigest ?? '';
        return runs.startCall(fence, { ...call, argsDigest }, events);
      },
    }),
  ],
  'an approval used for another definition': [
    'refuses a tool whose definition changed since it was approved',
    (runs, db) => ({
      startCall: (fence, call, events) => {
        const record = findCall(rowOf(db, fence.runId), call.callId);
        const definitionHash = record?.definitionHash ?? '';
        return runs.startCall(fence, { ...call, definitionHash }, events);
      },
    }),
  ],
  'a start without confirmation': [
    'refuses a call that nobody was asked about, or that is not decided, and writes no event',
    (runs) => ({
      startCall: async (...given) => {
        const outcome = await runs.startCall(...given);
        const isMissing = outcome.kind === 'refused' && outcome.code === 'confirmation_required';
        return isMissing ? { kind: 'go', attempt: 1 } : outcome;
      },
    }),
  ],
  'an approval that lasts for ever': [
    'refuses an approval that was not used in time',
    (runs, db) => ({
      startCall: (fence, call, events) => {
        patchConfirmation(db, fence.runId, call.callId, { expiresAt: Number.MAX_SAFE_INTEGER });
        return runs.startCall(fence, call, events);
      },
    }),
  ],
  'an approval that is not consumed': [
    'starts an approved call, notes who approved it and consumes the confirmation',
    (runs, db) => ({
      startCall: async (fence, call, events) => {
        const outcome = await runs.startCall(fence, call, events);
        patchConfirmation(db, fence.runId, call.callId, { status: 'approved' });
        return outcome;
      },
    }),
  ],
  'a result that is overwritten': [
    'keeps the first result of a call and appends nothing with a second one',
    (runs, db) => ({
      finishCall: (fence, callId, result, events) => {
        updateCall(rowOf(db, fence.runId), callId, { result: null });
        return runs.finishCall(fence, callId, result, events);
      },
    }),
  ],
  'a claim under a live lease': [
    'lets nobody claim a run under a live lease',
    (runs, db) => ({
      claim: (runId, ...given) => {
        const row = db.runs.get(runId);
        if (row) row.leaseUntil = 0;
        return runs.claim(runId, ...given);
      },
    }),
  ],
  'a claim that overtakes': [
    'queues runs of a busy conversation in order, as many as may wait',
    (runs, db) => ({
      claim: (runId, ...given) => {
        const row = rowOf(db, runId);
        const lane = laneOf(db, row.record);
        lane.sort((one) => (one === row ? -1 : 1));
        return runs.claim(runId, ...given);
      },
    }),
  ],
  'claims that all succeed': [
    'gives an abandoned run to one of 50 that claim it at once',
    (_runs, db) => ({
      claim: async (runId, request) => {
        const { leaseUntil } = rowOf(db, runId);
        const claimed = claim(db, runId, request);
        rowOf(db, runId).leaseUntil = leaseUntil;
        return claimed;
      },
    }),
  ],
  'a take-over under the same epoch': [
    'gives a run whose lease ran out to a new owner under a higher epoch',
    (runs, db) => ({
      claim: async (runId, ...given) => {
        const claim = await runs.claim(runId, ...given);
        if (claim === null) return null;
        update(rowOf(db, runId), { epoch: claim.run.epoch - 1 });
        return { ...claim, run: rowOf(db, runId).record };
      },
    }),
  ],
  'a crash loop hidden by events': [
    'counts lost owners until the run gets on',
    (runs, db) => ({
      append: async (fence, events) => {
        await runs.append(fence, events);
        rowOf(db, fence.runId).takeovers = 0;
      },
    }),
  ],
  'two decisions': [
    'decides once when two tabs press at the same moment',
    (_runs, db) => ({
      decide: async (decision) => {
        patchConfirmation(db, decision.runId, decision.callId, { status: 'pending' });
        return decide(db, decision);
      },
    }),
  ],
  'a decision of a stranger': [
    'knows no confirmation of a call that nobody was asked about, and none of strangers',
    (runs, db) => ({
      decide: (decision) => {
        const { tenantId, userId } = anyoneIsOwner(db, decision.runId);
        return runs.decide({ ...decision, tenantId, userId });
      },
    }),
  ],
  'a decision about other arguments': [
    'refuses a decision about other arguments and stays open for the right one',
    (runs, db) => ({
      decide: (decision) => {
        const call = findCall(rowOf(db, decision.runId), decision.callId);
        return runs.decide({ ...decision, argsDigest: call?.argsDigest ?? '' });
      },
    }),
  ],
  'a decision after its time': [
    'refuses a decision that comes too late and wakes the run',
    (runs, db) => ({
      decide: (decision) => {
        const late = { expiresAt: Number.MAX_SAFE_INTEGER };
        patchConfirmation(db, decision.runId, decision.callId, late);
        return runs.decide(decision);
      },
    }),
  ],
  'a decision that wakes nobody': [
    'queues the run again with its last decision, not before',
    (runs) => ({ decide: (decision) => noWake(runs.decide(decision)) }),
  ],
  'a run woken by its first decision': [
    'queues the run again with its last decision, not before',
    (runs) => ({
      decide: async (decision) => {
        const outcome = await runs.decide(decision);
        return { ...outcome, wake: [{ runId: decision.runId, segment: 1 }] };
      },
    }),
  ],
  'a pause that forgets a confirmation': [
    'asks all confirmations of a turn at once and releases the run',
    (runs) => ({ pause: (fence, ask, events) => runs.pause(fence, ask.slice(0, 1), events) }),
  ],
  'a pause without anything to wait for': [
    'goes on when nothing is pending',
    (runs) => ({
      pause: async (...given) => {
        await runs.pause(...given);
        return 'paused';
      },
    }),
  ],
  'a run shown to strangers': [
    'shows runs to their owner only, and lets nobody else act on them',
    (runs) => ({ load: (runId) => runs.load(runId, null) }),
  ],
  'a cancel by strangers': [
    'shows runs to their owner only, and lets nobody else act on them',
    (runs, db) => ({
      requestCancel: (runId) => runs.requestCancel(runId, anyoneIsOwner(db, runId)),
    }),
  ],
  'a steer by strangers': [
    'shows runs to their owner only, and lets nobody else act on them',
    (runs, db) => ({
      steer: (runId, _, steer) => runs.steer(runId, anyoneIsOwner(db, runId), steer),
    }),
  ],
  'an answer by strangers': [
    'lets nobody answer the question that another was asked',
    (runs, db) => ({
      answerInput: (runId, _, ...rest) =>
        runs.answerInput(runId, anyoneIsOwner(db, runId), ...rest),
    }),
  ],
  'a cancel that wakes nobody': [
    'wakes a waiting, a queued and an abandoned run that is cancelled, so that somebody ends it',
    (runs) => ({ requestCancel: (...given) => noWake(runs.requestCancel(...given)) }),
  ],
  'an end that wakes nobody': [
    'queues runs of a busy conversation in order, as many as may wait',
    (runs) => ({
      finish: async (...given) => {
        await runs.finish(...given);
        return [];
      },
    }),
  ],
  'an end that leaves out a steer': [
    'ends no run well whose owner does not know of a steer',
    (runs, db) => ({
      finish: async (fence, ...given) => {
        update(rowOf(db, fence.runId), { steers: [] });
        return runs.finish(fence, ...given);
      },
    }),
  ],
  'a steer that keeps a run from its end': [
    'ends a run that was steered, when it cannot answer any more',
    (runs, db) => ({
      finish: async (fence, ...given) =>
        rowOf(db, fence.runId).record.steers[0] ? 'steered' : runs.finish(fence, ...given),
    }),
  ],
  'a steer for a run without turns': [
    'steers no run that takes no turns',
    (runs) => ({ steer: (...given) => runs.steer(...given).then(() => 'ok') }),
  ],
  'an end without its message': [
    'ends a run with its state, its event and the message of the assistant',
    (runs) => ({ finish: (fence, end, _, events) => runs.finish(fence, end, null, events) }),
  ],
  'a conversation that stays busy': [
    'frees the conversation for the next run',
    (runs, db) => ({
      finish: async (...given) => {
        const lanes = [...db.lanes];
        const wake = await runs.finish(...given);
        for (const [key, lane] of lanes) db.lanes.set(key, lane);
        return wake;
      },
    }),
  ],
  'a forgotten request id': [
    'makes one run of 50 equal requests at once',
    (runs) => ({ create: (run) => runs.create({ ...run, requestId: null }) }),
  ],
  'a request id of everybody': [
    'keeps request ids of users and tenants apart',
    (runs) => ({ create: (run) => runs.create({ ...run, tenantId: 't', userId: 'u' }) }),
  ],
  'another body under the same request id': [
    'refuses another body under a request id that was used',
    (runs) => ({ create: (run) => runs.create({ ...run, requestDigest: 'same' }) }),
  ],
  'two runs of a conversation': [
    'lets one of 50 runs of a conversation begin at once',
    (runs) => ({ create: (run) => runs.create({ ...run, conversationId: newId('c') }) }),
  ],
  'a queue without an end': [
    'queues runs of a busy conversation in order, as many as may wait',
    (runs) => ({ create: (run) => runs.create({ ...run, queueLimit: 1_000 }) }),
  ],
  'a window of the conversation without an end': [
    'tells the newest messages, as many as are asked for',
    (runs) => ({ create: (run) => runs.create(withHistory(run, { messages: 1_000 })) }),
  ],
  'a window of any size': [
    'ends what it tells before the first message that is too large, in bytes of its JSON',
    (runs) => ({ create: (run) => runs.create(withHistory(run, { bytes: 1_000_000 })) }),
  ],
  'a question that is told twice': [
    'tells a queued run the answer ahead of it, and the next owner the same',
    (runs, db) => ({
      claim: async (runId, request) => {
        const claim = await runs.claim(runId, request);
        if (claim === null) return null;
        const { tenantId, userId, conversationId } = claim.run;
        const mine = db.conversations.get(ownedKey({ tenantId, userId }));
        return { ...claim, history: mine?.get(conversationId)?.messages ?? [] };
      },
    }),
  ],
  'first events that are not stored': [
    'stores what a run begins with where it is claimed at once, and not where it queues',
    (runs) => ({ create: (run) => runs.create({ ...run, claim: { ...run.claim, events: [] } }) }),
  ],
  'first events of a run that queues': [
    'stores what a run begins with where it is claimed at once, and not where it queues',
    (runs, db) => ({
      create: async (run) => {
        const outcome = await runs.create(run);
        if (outcome.kind === 'queued') appendEvents(rowOf(db, run.runId), run.claim.events);
        return outcome;
      },
    }),
  ],
  'a superseded run that still asks': [
    'supersedes a waiting run: declines what it asked and wakes it to end',
    (runs, db) => ({
      create: async (run) => {
        const outcome = await runs.create(run);
        for (const { record } of db.active) {
          for (const { callId } of record.calls) {
            patchConfirmation(db, record.runId, callId, { status: 'pending' });
          }
        }
        return outcome;
      },
    }),
  ],
  'a sweep that finds nothing': [
    'sweeps up runs whose lease ran out, and no others',
    () => ({ sweep: async () => [] }),
  ],
  'a sweep that wakes everything': [
    'sweeps up runs whose lease ran out, and no others',
    (_, db) => ({
      sweep: async () =>
        [...db.active].map(({ record: { runId, segment } }) => ({ runId, segment })),
    }),
  ],
  'a turn committed twice': [
    'commits a turn once and plans its calls',
    (runs, db) => ({
      commitTurn: (fence, ...given) => {
        update(rowOf(db, fence.runId), { turns: [] });
        return runs.commitTurn(fence, ...given);
      },
    }),
  ],
  'usage that nobody counts': [
    'adds up the usage of turns and counts it to the user, in place of the reservation',
    (runs) => ({
      commitTurn: (fence, turn, ...rest) =>
        runs.commitTurn(fence, { ...turn, usage: null }, ...rest),
    }),
  ],
  'records that a reader can change': [
    'gives out what nobody can use to change the store',
    (runs, db) => ({
      load: async (runId, owner) => {
        if ((await runs.load(runId, owner)) === null) return null;
        return rowOf(db, runId).record;
      },
    }),
  ],
  'a run waiting for its end': [
    'does not count the time of waiting for a person against the deadline',
    (runs, db) => ({
      decide: (decision) => {
        rowOf(db, decision.runId).waitingSince = clock.now();
        return runs.decide(decision);
      },
    }),
  ],
  'an audit entry with the arguments': [
    'audits digests and outcomes, never arguments or results',
    (runs, db) => ({
      startCall: async (fence, call, events) => {
        const outcome = await runs.startCall(fence, call, events);
        const args = findCall(rowOf(db, fence.runId), call.callId)?.args ?? null;
        await inProcessAuditLog(db).append({
          ...anyoneIsOwner(db, fence.runId),
          chain: fence.runId,
          action: 'call.args',
          details: { args },
        });
        return outcome;
      },
    }),
  ],
};

describe('the RunStore suite', () => {
  for (const verb of fencedVerbs) {
    const caughtBy = `refuses ${verb} of an owner that was replaced`;
    catches(runStoreCases, `${verb} without a fence`, broken(unfenced(verb), caughtBy));
  }
  for (const [what, [caughtBy, breakage]] of Object.entries(mutants)) {
    catches(runStoreCases, what, broken(breakage, caughtBy));
  }
});
