import type { Wake } from '../run-store.ts';
import { auditRun } from './audit-rows.ts';
import type { InProcessDatabase, RunRow } from './database.ts';
import { isOwned, queueAgain, update, updateCall, wakeOf } from './run-rows.ts';

/**
 * Asks a run to end: its owner if it has one, else whoever claims it next. What was asked from the person counts as
 * declined, so that nothing of an ending run can be approved.
 */
export function cancelRun(db: InProcessDatabase, row: RunRow, by: string): Wake[] {
  const { record } = row;
  if (record.end !== null) return [];
  const isOrphan = row.leaseUntil <= db.clock.now();
  // Asked again: whoever was to be woken may not have been.
  if (record.cancelRequested) return isOrphan ? [wakeOf(row)] : [];
  declinePending(db, row, by);
  if (isOwned(record)) {
    update(row, { cancelRequested: true, status: 'cancelling' });
    return isOrphan ? [wakeOf(row)] : [];
  }
  update(row, { cancelRequested: true });
  if (record.status === 'waiting') return [queueAgain(db, row)];
  return [wakeOf(row)];
}

/** Declines every pending confirmation of a run. */
export function declinePending(db: InProcessDatabase, row: RunRow, by: string): void {
  const decidedAt = db.clock.now();
  for (const { callId, confirmation } of row.record.calls) {
    if (confirmation?.status !== 'pending') continue;
    const declined = Object.freeze({
      ...confirmation,
      status: 'declined' as const,
      decidedAt,
      decidedBy: by,
    });
    updateCall(row, callId, { confirmation: declined });
    const { argsDigest, definitionHash } = confirmation;
    auditRun(db, row, 'confirmation.declined', {
      callId,
      argsDigest,
      definitionHash,
      by,
      reason: 'cancelled',
    });
  }
}
