import { randomUUID } from 'node:crypto';
import { noUsage } from '../../events/usage.ts';
import type { CreateOutcome, NewRun, Wake } from '../run-store.ts';
import { cancelRun } from './cancel.ts';
import { addQuestion } from './conversation-rows.ts';
import {
  belongsTo,
  type InProcessDatabase,
  ownedKey,
  type RunRow,
  type RunState,
} from './database.ts';
import { frozenCopy } from './frozen-copy.ts';
import { historyOf } from './history.ts';
import { appendEvents, laneOf, snapshotOf } from './run-rows.ts';

const none: readonly never[] = Object.freeze([]);

/** Creates a run, or finds the one of the same request, or says why not. */
export function create(db: InProcessDatabase, run: NewRun): CreateOutcome {
  const known = findRequest(db, run);
  if (known !== undefined) return known;
  const ahead = laneOf(db, run);
  const refusal = refuse(run, ahead);
  if (refusal !== undefined) return { kind: refusal };
  const wake = run.onBusy === 'supersede' ? supersede(db, run, ahead) : [];
  const row = insert(db, run, ahead.length === 0);
  if (ahead.length > 0) return { kind: 'queued', run: snapshotOf(row), wake };
  appendEvents(row, run.claim.events);
  const history = historyOf(db, row, run.claim.history);
  return { kind: 'claimed', run: snapshotOf(row), now: db.clock.now(), history, wake };
}

function findRequest(db: InProcessDatabase, run: NewRun): CreateOutcome | undefined {
  const runId = run.requestId === null ? undefined : db.requests.get(ownedKey(run, run.requestId));
  const found = db.runs.get(runId ?? run.runId);
  if (found === undefined) return undefined;
  const same =
    runId !== undefined &&
    belongsTo(found.record, run) &&
    found.requestDigest === run.requestDigest;
  return same ? { kind: 'existing', run: snapshotOf(found) } : { kind: 'request_conflict' };
}

function refuse(
  run: NewRun,
  ahead: readonly RunRow[],
): 'conversation_busy' | 'queue_full' | undefined {
  if (ahead.length === 0) return undefined;
  if (run.onBusy === 'refuse') return 'conversation_busy';
  // Superseding needs a place behind the run that has yet to end, even where nothing may queue.
  const places = run.onBusy === 'supersede' ? Math.max(run.queueLimit, 1) : run.queueLimit;
  return ahead.length - 1 >= places ? 'queue_full' : undefined;
}

/** Everything that is ahead in the conversation gives way. */
function supersede(db: InProcessDatabase, run: NewRun, ahead: readonly RunRow[]): Wake[] {
  return ahead.flatMap((row) => cancelRun(db, row, run.userId));
}

function insert(db: InProcessDatabase, run: NewRun, isFree: boolean): RunRow {
  const now = db.clock.now();
  const row: RunRow = {
    record: newState(run, now, isFree),
    snapshot: undefined,
    requestDigest: run.requestDigest,
    deadlineMs: run.deadlineMs,
    events: [],
    leaseUntil: isFree ? now + run.claim.ttlMs : 0,
    takeovers: 0,
    wokenAt: now,
    waitingSince: 0,
  };
  db.runs.set(run.runId, row);
  db.active.add(row);
  const key = ownedKey(run, run.conversationId);
  const lane = db.lanes.get(key);
  if (lane === undefined) db.lanes.set(key, [row]);
  else lane.push(row);
  if (run.requestId !== null) db.requests.set(ownedKey(run, run.requestId), run.runId);
  if (isFree) addQuestion(db, row);
  return row;
}

function newState(run: NewRun, now: number, isFree: boolean): RunState {
  return {
    tenantId: run.tenantId,
    userId: run.userId,
    runId: run.runId,
    incarnation: randomUUID(),
    conversationId: run.conversationId,
    principal: frozenCopy(run.principal),
    input: frozenCopy(run.input),
    options: frozenCopy(run.options),
    requestId: run.requestId,
    status: isFree ? 'running' : 'queued',
    epoch: isFree ? 1 : 0,
    segment: 0,
    cancelRequested: false,
    createdAt: now,
    deadlineAt: now + run.deadlineMs,
    turns: [],
    calls: [],
    inputs: none,
    steers: none,
    partial: null,
    usage: noUsage,
    eventCount: 0,
    lastCursor: null,
    end: null,
  };
}
