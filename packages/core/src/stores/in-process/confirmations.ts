import { StewardError } from '../../errors/steward-error.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type {
  CallRecord,
  ConfirmationRecord,
  DecideOutcome,
  Decision,
  Fence,
  Wake,
} from '../run-store.ts';
import { auditRun } from './audit-rows.ts';
import { declinePending } from './cancel.ts';
import type { InProcessDatabase, RunRow } from './database.ts';
import {
  appendEvents,
  fenced,
  findCall,
  ownRun,
  queueAgain,
  update,
  updateCall,
} from './run-rows.ts';

/** Asks confirmations and releases the run, unless no person has anything left to decide. */
export function pause(
  db: InProcessDatabase,
  fence: Fence,
  ask: readonly { readonly callId: string; readonly decideWithinMs: number }[],
  events: readonly RunEvent[],
): 'paused' | 'go_on' {
  const row = fenced(db, fence);
  const calls = ask.map(({ callId }) => askable(row, callId));
  for (const [index, call] of calls.entries()) {
    if (call.confirmation !== null) continue;
    const expiresAt = db.clock.now() + (ask[index]?.decideWithinMs ?? 0);
    updateCall(row, call.callId, { status: 'waiting', confirmation: pending(call, expiresAt) });
  }
  appendEvents(row, events);
  row.takeovers = 0;
  if (row.record.cancelRequested) declinePending(db, row, row.record.userId);
  if (!hasPending(row)) return 'go_on';
  row.leaseUntil = 0;
  row.waitingSince = db.clock.now();
  update(row, { status: 'waiting' });
  return 'paused';
}

function askable(row: RunRow, callId: string): CallRecord {
  const call = findCall(row, callId);
  if (call !== undefined && call.result === null && call.authorization === 'confirm') return call;
  throw new StewardError('not_found', `Run ${row.record.runId} has no call ${callId} to confirm.`);
}

function pending(call: CallRecord, expiresAt: number): ConfirmationRecord {
  const { callId, argsDigest, definitionHash } = call;
  return Object.freeze({
    callId,
    argsDigest,
    definitionHash,
    status: 'pending',
    expiresAt,
    decidedAt: null,
    decidedBy: null,
  });
}

/** Decides a confirmation, once. */
export function decide(db: InProcessDatabase, decision: Decision): DecideOutcome {
  const row = ownRun(db, decision.runId, decision);
  const confirmation = row && findCall(row, decision.callId)?.confirmation;
  if (!row || !confirmation) return { kind: 'refused', code: 'not_found', wake: [] };
  if (confirmation.status === 'pending' && confirmation.expiresAt <= db.clock.now()) {
    expire(db, row, confirmation);
    return { kind: 'refused', code: 'confirmation_expired', wake: wakeIfDecided(db, row) };
  }
  const code = refusal(confirmation, decision);
  if (code !== undefined) return { kind: 'refused', code, wake: [] };
  const status = decision.approve ? 'approved' : 'declined';
  const now = db.clock.now();
  settle(db, row, {
    ...confirmation,
    status,
    expiresAt: decision.approve ? now + decision.useWithinMs : confirmation.expiresAt,
    decidedAt: now,
    decidedBy: decision.userId,
  });
  return { kind: 'decided', status, wake: wakeIfDecided(db, row) };
}

function refusal(confirmation: ConfirmationRecord, decision: Decision) {
  if (confirmation.status === 'expired') return 'confirmation_expired';
  if (confirmation.status !== 'pending') return 'already_decided';
  return confirmation.argsDigest === decision.argsDigest ? undefined : 'args_mismatch';
}

/** Marks the pending confirmations that nobody decided in time. */
export function expirePending(db: InProcessDatabase, row: RunRow): void {
  const now = db.clock.now();
  for (const { confirmation } of row.record.calls) {
    if (confirmation?.status === 'pending' && confirmation.expiresAt <= now) {
      expire(db, row, confirmation);
    }
  }
}

/** Marks a confirmation as not decided, or not used, in time. */
export function expire(db: InProcessDatabase, row: RunRow, confirmation: ConfirmationRecord): void {
  settle(db, row, { ...confirmation, status: 'expired' });
}

function settle(db: InProcessDatabase, row: RunRow, confirmation: ConfirmationRecord): void {
  const { callId, status, argsDigest, definitionHash, decidedBy } = confirmation;
  updateCall(row, callId, { confirmation: Object.freeze(confirmation) });
  auditRun(db, row, `confirmation.${status}`, {
    callId,
    argsDigest,
    definitionHash,
    by: decidedBy,
  });
}

function wakeIfDecided(db: InProcessDatabase, row: RunRow): readonly Wake[] {
  return row.record.status === 'waiting' && !hasPending(row) ? [queueAgain(db, row)] : [];
}

function hasPending(row: RunRow): boolean {
  return row.record.calls.some((call) => call.confirmation?.status === 'pending');
}
