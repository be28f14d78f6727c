import type { RunStore } from '../run-store.ts';
import { belongsTo, type InProcessDatabase } from './database.ts';

let loading: Promise<typeof import('./run-verbs.ts')> | undefined;

/** Loaded by the first run: a process whose runs are kept elsewhere does without. */
function verbs() {
  loading ??= import('./run-verbs.ts');
  return loading;
}

/** A RunStore over the tables of this process. Each verb runs to its end without waiting: that is its transaction. */
export function inProcessRunStore(db: InProcessDatabase): RunStore {
  return {
    create: async (run) => (await verbs()).create(db, run),
    claim: async (runId, request) => (await verbs()).claim(db, runId, request),
    renew: async (fences, ttlMs) => (await verbs()).renew(db, fences, ttlMs),
    release: async (fence) => (await verbs()).release(db, fence),
    load: async (runId, owner) => {
      const row = db.runs.get(runId);
      if (row === undefined) return null;
      const { snapshotOf } = await verbs();
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
    append: async (fence, events) => {
      const { appendEvents, fenced } = await verbs();
      appendEvents(fenced(db, fence), events);
    },
    savePartial: async (fence, partial) => {
      const { fenced, update } = await verbs();
      update(fenced(db, fence), { partial: Object.freeze({ ...partial }) });
    },
    commitTurn: async (fence, turn, calls, events) =>
      (await verbs()).commitTurn(db, fence, turn, { calls, events }),
    startCall: async (fence, call, events) => (await verbs()).startCall(db, fence, call, events),
    finishCall: async (fence, callId, result, events) =>
      (await verbs()).finishCall(db, fence, { callId, result }, events),
    pause: async (fence, ask, events) => (await verbs()).pause(db, fence, ask, events),
    decide: async (decision) => (await verbs()).decide(db, decision),
    requestInput: async (fence, input, events) =>
      (await verbs()).requestInput(db, fence, input, events),
    answerInput: async (runId, owner, requestId, answer) =>
      (await verbs()).answerInput(db, runId, owner, { requestId, answer }),
    steer: async (runId, owner, given) => (await verbs()).steer(db, runId, owner, given),
    applySteers: async (fence, steerIds, turn, events) =>
      (await verbs()).applySteers(db, fence, { steerIds, turn }, events),
    requestCancel: async (runId, owner) => (await verbs()).requestCancel(db, runId, owner),
    finish: async (fence, end, message, events) =>
      (await verbs()).finish(db, fence, { end, message, events }),
    sweep: async (limits) => (await verbs()).sweep(db, limits),
  };
}
