import { StewardError } from '../../errors/steward-error.ts';
import type { RunEvent } from '../../events/run-event.ts';
import { addUsage } from '../../events/usage.ts';
import { newCallRecord } from '../new-call-record.ts';
import type {
  CallRecord,
  CallResult,
  CommittedTurn,
  Fence,
  PlannedCall,
  StartOutcome,
} from '../run-store.ts';
import { turnReservation } from '../usage-store.ts';
import { auditRun } from './audit-rows.ts';
import { expire } from './confirmations.ts';
import type { InProcessDatabase, RunRow } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';
import { appendEvents, fenced, findCall, update, updateCall } from './run-rows.ts';
import { recordUsage } from './usage-rows.ts';

/** What is asked of the gate. */
interface StartRequest {
  readonly callId: string;
  readonly argsDigest: string;
  readonly definitionHash: string;
}

/** Commits a model turn and plans its calls; nothing when the turn was committed before. */
export function commitTurn(
  db: InProcessDatabase,
  fence: Fence,
  turn: CommittedTurn,
  plan: { readonly calls: readonly PlannedCall[]; readonly events: readonly RunEvent[] },
): void {
  const row = fenced(db, fence);
  const { record } = row;
  if (record.turns.some((known) => known.turn === turn.turn)) return;
  const planned = plan.calls.map((call) => frozenCopy(newCallRecord(call)));
  record.turns.push(frozenCopy(turn));
  record.calls.push(...planned);
  update(row, {
    partial: null,
    usage: addUsage(record.usage, turn.usage),
  });
  if (turn.usage !== null) {
    recordUsage(db, record, turnReservation(fence, turn.turn), turn.usage.totalTokens);
  }
  appendEvents(row, plan.events);
  row.takeovers = 0;
}

/** The only door to a side effect. */
export function startCall(
  db: InProcessDatabase,
  fence: Fence,
  asked: StartRequest,
  events: readonly RunEvent[],
): StartOutcome {
  const row = fenced(db, fence);
  const call = findCall(row, asked.callId);
  if (call === undefined) return { kind: 'refused', code: 'not_found' };
  if (call.result !== null) return { kind: 'ended', result: call.result };
  if (isAmbiguous(call, asked)) return markUnknown(db, row, call);
  const verdict = judge(db, row, call, asked);
  if ('code' in verdict) {
    auditRun(db, row, 'call.refused', { callId: call.callId, code: verdict.code });
    return { kind: 'refused', code: verdict.code };
  }
  start(db, row, call, verdict.startedBy);
  appendEvents(row, events);
  // A restart is no progress: a call that kills every owner must not hide that by being started.
  if (call.starts === 0) row.takeovers = 0;
  return { kind: 'go', attempt: call.starts + 1 };
}

/** Started before, may have had its effect, and cannot be repeated under its key. */
function isAmbiguous(call: CallRecord, asked: StartRequest): boolean {
  if (call.status === 'unknown') return true;
  if (call.starts === 0 || call.effect === 'read') return false;
  return call.effect === 'write' || call.definitionHash !== asked.definitionHash;
}

/** The call ends as `unknown`; its result is left open for what `finishCall` has to tell the model. */
function markUnknown(db: InProcessDatabase, row: RunRow, call: CallRecord): StartOutcome {
  if (call.status !== 'unknown') {
    updateCall(row, call.callId, { status: 'unknown' });
    auditRun(db, row, 'call.unknown', { callId: call.callId, tool: call.tool });
  }
  return { kind: 'unknown' };
}

type Refusal = Extract<StartOutcome, { kind: 'refused' }>['code'];
type Verdict = { readonly startedBy: string } | { readonly code: Refusal };

function judge(db: InProcessDatabase, row: RunRow, call: CallRecord, asked: StartRequest): Verdict {
  if (call.definitionHash !== asked.definitionHash) return { code: 'tool_changed' };
  if (call.argsDigest !== asked.argsDigest) return { code: 'args_mismatch' };
  if (call.authorization !== 'confirm') return { startedBy: call.authorization };
  return judgeConfirmation(db, row, call);
}

function judgeConfirmation(db: InProcessDatabase, row: RunRow, call: CallRecord): Verdict {
  const { confirmation } = call;
  if (confirmation?.status === 'expired') return { code: 'confirmation_expired' };
  const startedBy = `confirmed:${confirmation?.decidedBy}`;
  if (confirmation?.status === 'consumed' && call.starts > 0) return { startedBy };
  if (confirmation?.status !== 'approved') return { code: 'confirmation_required' };
  if (db.clock.now() < confirmation.expiresAt) return { startedBy };
  expire(db, row, confirmation);
  return { code: 'confirmation_expired' };
}

function start(db: InProcessDatabase, row: RunRow, call: CallRecord, startedBy: string): void {
  const { callId, tool, argsDigest, definitionHash, confirmation } = call;
  const attempt = call.starts + 1;
  updateCall(row, callId, {
    status: 'started',
    starts: attempt,
    startedBy,
    confirmation: confirmation && Object.freeze({ ...confirmation, status: 'consumed' }),
  });
  auditRun(db, row, 'call.started', {
    callId,
    tool,
    argsDigest,
    definitionHash,
    attempt,
    startedBy,
  });
}

/** Stores how a call ended, unless that is known already. */
export function finishCall(
  db: InProcessDatabase,
  fence: Fence,
  ended: { readonly callId: string; readonly result: CallResult },
  events: readonly RunEvent[],
): boolean {
  const row = fenced(db, fence);
  const { callId, result } = ended;
  const call = findCall(row, callId);
  if (call === undefined) {
    throw new StewardError('not_found', `Run ${fence.runId} has no call ${callId}.`);
  }
  if (call.result !== null) return false;
  updateCall(row, callId, { status: result.outcome, result: frozenCopy(result) });
  auditRun(db, row, 'call.finished', { callId, tool: call.tool, outcome: result.outcome });
  appendEvents(row, events);
  row.takeovers = 0;
  return true;
}
