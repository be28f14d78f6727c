import { StewardError } from '../../errors/steward-error.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type { CallRecord, Fence, Owner, RunRecord, Wake } from '../run-store.ts';
import {
  belongsTo,
  type InProcessDatabase,
  ownedKey,
  type RunRow,
  type RunState,
} from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

/** The run that a fence gives a right to. Throws `fenced` when somebody else has it, or nobody. */
export function fenced(db: InProcessDatabase, fence: Fence): RunRow {
  const row = db.runs.get(fence.runId);
  if (row !== undefined && row.record.epoch === fence.epoch && isOwned(row.record)) return row;
  throw new StewardError(
    'fenced',
    `Run ${fence.runId} is not owned under epoch ${fence.epoch}; stop working on it.`,
  );
}

/** Whether the status is one of those in which a run has an owner. */
export function isOwned(record: RunRecord): boolean {
  return record.status === 'running' || record.status === 'cancelling';
}

/** The run, if it is the owner's. */
export function ownRun(db: InProcessDatabase, runId: string, owner: Owner): RunRow | undefined {
  const row = db.runs.get(runId);
  return row !== undefined && belongsTo(row.record, owner) ? row : undefined;
}

/** Changes the record. */
export function update(row: RunRow, changes: Partial<RunState>): void {
  Object.assign(row.record, changes);
  row.snapshot = undefined;
}

/** The record as it is now, for those outside: made when somebody asks, not with each of the many changes. */
export function snapshotOf(row: RunRow): RunRecord {
  row.snapshot ??= Object.freeze({
    ...row.record,
    turns: Object.freeze([...row.record.turns]),
    calls: Object.freeze([...row.record.calls]),
  });
  return row.snapshot;
}

/** Appends durable events under the next numbers. */
export function appendEvents(row: RunRow, events: readonly RunEvent[]): void {
  const last = events.at(-1);
  if (last === undefined) return;
  for (const event of events) {
    row.events.push(Object.freeze({ n: row.events.length + 1, event: frozenCopy(event) }));
  }
  update(row, { eventCount: row.events.length, lastCursor: last.cursor });
}

/** The call of a run by its id. */
export function findCall(row: RunRow, callId: string): CallRecord | undefined {
  return row.record.calls.find((call) => call.callId === callId);
}

/** Replaces a call by one with changes; nothing when there is no such call. */
export function updateCall(row: RunRow, callId: string, changes: Partial<CallRecord>): void {
  const { calls } = row.record;
  const index = calls.findIndex((call) => call.callId === callId);
  const call = calls[index];
  if (call === undefined) return;
  calls[index] = Object.freeze({ ...call, ...changes });
  row.snapshot = undefined;
}

/** The runs of a conversation that have not ended. */
export function laneOf(db: InProcessDatabase, run: Owner & { conversationId: string }): RunRow[] {
  return db.lanes.get(ownedKey(run, run.conversationId)) ?? [];
}

/** Whether no other run of the conversation comes first; a cancelled one waits for none, since it only has to end. */
export function mayBegin(db: InProcessDatabase, row: RunRow): boolean {
  return row.record.cancelRequested || laneOf(db, row.record)[0] === row;
}

/** Takes the run from whoever has it and makes it claimable. Time spent waiting for a person is given back to it. */
export function queueAgain(db: InProcessDatabase, row: RunRow): Wake {
  const now = db.clock.now();
  const { record } = row;
  const waited = record.status === 'waiting' ? now - row.waitingSince : 0;
  row.leaseUntil = 0;
  row.wokenAt = now;
  update(row, {
    status: 'queued',
    segment: record.segment + 1,
    deadlineAt: record.deadlineAt + waited,
  });
  return wakeOf(row);
}

/** What an engine needs to know of a run. */
export function wakeOf(row: RunRow): Wake {
  return { runId: row.record.runId, segment: row.record.segment };
}
