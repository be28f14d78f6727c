import type { RunStore } from '../run-store.ts';
import { decide, pause } from './confirmations.ts';
import { create } from './create.ts';
import { belongsTo, type InProcessDatabase } from './database.ts';
import { finish } from './finish.ts';
import { commitTurn, finishCall, startCall } from './ledger.ts';
import { claim, release, renew, sweep } from './ownership.ts';
import { answerInput, applySteers, requestCancel, requestInput, steer } from './person.ts';
import { appendEvents, fenced, snapshotOf, update } from './run-rows.ts';

/** A RunStore over the tables of this process. Each verb runs to its end without waiting: that is its transaction. */
export function inProcessRunStore(db: InProcessDatabase): RunStore {
  return {
    create: async (run) => create(db, run),
    claim: async (runId, _owner, ttlMs) => claim(db, runId, ttlMs),
    renew: async (fences, ttlMs) => renew(db, fences, ttlMs),
    release: async (fence) => release(db, fence),
    load: async (runId, owner) => {
      const row = db.runs.get(runId);
      if (row === undefined) return null;
      return owner === null || belongsTo(row.record, owner) ? snapshotOf(row) : null;
    },
    heads: async (runIds) =>
      runIds.flatMap((runId) => {
        const record = db.runs.get(runId)?.record;
        if (record === undefined) return [];
        const { status, epoch, eventCount } = record;
        return [{ runId, status, epoch, eventCount }];
      }),
    events: async (runId, after, limit) =>
      db.runs.get(runId)?.events.slice(after, after + limit) ?? [],
    append: async (fence, events) => appendEvents(fenced(db, fence), events),
    savePartial: async (fence, { turn, text }) =>
      update(fenced(db, fence), { partial: Object.freeze({ turn, text }) }),
    commitTurn: async (fence, turn, calls, events) =>
      commitTurn(db, fence, turn, { calls, events }),
    startCall: async (fence, call, events) => startCall(db, fence, call, events),
    finishCall: async (fence, callId, result, events) =>
      finishCall(db, fence, { callId, result }, events),
    pause: async (fence, ask, events) => pause(db, fence, ask, events),
    decide: async (decision) => decide(db, decision),
    requestInput: async (fence, input, events) => requestInput(db, fence, input, events),
    answerInput: async (runId, owner, requestId, answer) =>
      answerInput(db, runId, owner, { requestId, answer }),
    steer: async (runId, owner, given) => steer(db, runId, owner, given),
    applySteers: async (fence, steerIds, turn, events) =>
      applySteers(db, fence, { steerIds, turn }, events),
    requestCancel: async (runId, owner) => requestCancel(db, runId, owner),
    finish: async (fence, end, message, events) => finish(db, fence, { end, message, events }),
    sweep: async (limits) => sweep(db, limits),
  };
}
