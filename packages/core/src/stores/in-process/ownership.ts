import type { Claim, ClaimRequest, Fence, Renewal, Wake } from '../run-store.ts';
import { expirePending } from './confirmations.ts';
import type { InProcessDatabase, RunRow } from './database.ts';
import { historyOf } from './history.ts';
import { fenced, isOwned, mayBegin, queueAgain, snapshotOf, update, wakeOf } from './run-rows.ts';

/** Takes a run that nobody has, under a new epoch. */
export function claim(
  db: InProcessDatabase,
  runId: string,
  { ttlMs, history }: ClaimRequest,
): Claim | null {
  const row = db.runs.get(runId);
  if (row === undefined) return null;
  const now = db.clock.now();
  const lapsed = hasLapsed(row, now);
  if (!lapsed && !(row.record.status === 'queued' && mayBegin(db, row))) return null;
  if (lapsed) row.takeovers += 1;
  row.leaseUntil = now + ttlMs;
  const { epoch, cancelRequested } = row.record;
  update(row, { epoch: epoch + 1, status: cancelRequested ? 'cancelling' : 'running' });
  return {
    run: snapshotOf(row),
    takeovers: row.takeovers,
    now: db.clock.now(),
    history: historyOf(db, row, history),
  };
}

/** Prolongs the leases that are still held. */
export function renew(
  db: InProcessDatabase,
  fences: readonly Fence[],
  ttlMs: number,
): readonly Renewal[] {
  return fences.flatMap(({ runId, epoch }) => {
    const row = db.runs.get(runId);
    if (row === undefined || row.record.epoch !== epoch || !isOwned(row.record)) return [];
    row.leaseUntil = db.clock.now() + ttlMs;
    const { cancelRequested, steers, inputs } = row.record;
    const answerCount = inputs.filter((input) => input.answeredAt !== null).length;
    return [{ runId, cancelRequested, steerCount: steers.length, answerCount }];
  });
}

/** Gives a run back for another owner. */
export function release(db: InProcessDatabase, fence: Fence): readonly Wake[] {
  return [queueAgain(db, fenced(db, fence))];
}

/** What time does. */
export function sweep(
  db: InProcessDatabase,
  limits: { readonly queuedForMs: number; readonly limit: number },
): readonly Wake[] {
  const wakes: Wake[] = [];
  for (const row of db.active) {
    if (wakes.length >= limits.limit) break;
    const wake = sweepRun(db, row, limits.queuedForMs);
    if (wake !== undefined) wakes.push(wake);
  }
  return wakes;
}

function sweepRun(db: InProcessDatabase, row: RunRow, queuedForMs: number): Wake | undefined {
  if (row.record.status === 'waiting') {
    expirePending(db, row);
    const isPending = row.record.calls.some((call) => call.confirmation?.status === 'pending');
    return isPending ? undefined : queueAgain(db, row);
  }
  const now = db.clock.now();
  const wasWokenLongAgo = now - row.wokenAt >= queuedForMs;
  const isDue = isOwned(row.record)
    ? hasLapsed(row, now) && (wasWokenLongAgo || row.wokenAt < row.leaseUntil)
    : mayBegin(db, row) && (wasWokenLongAgo || row.record.deadlineAt <= now);
  if (!isDue) return undefined;
  // Not again with the next sweep: the engine has it, and others must get their turn under the limit.
  row.wokenAt = now;
  // A new segment: an engine may still take that of the lost owner for running.
  if (isOwned(row.record)) update(row, { segment: row.record.segment + 1 });
  return wakeOf(row);
}

function hasLapsed(row: RunRow, now: number): boolean {
  return isOwned(row.record) && row.leaseUntil <= now;
}
