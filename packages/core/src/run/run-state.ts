import { comparePlaces, parseCursor } from '../events/cursor.ts';
import type { RunStatus } from '../events/run-event.ts';
import type { CallRecord, PartialText, RunRecord } from '../stores/run-store.ts';

const ended: ReadonlySet<RunStatus> = new Set(['succeeded', 'partial', 'failed', 'cancelled']);

/** Whether a run is over. */
export function isEnded(status: RunStatus): boolean {
  return ended.has(status);
}

/** Whether a call is one that a person has yet to decide, or to be asked about. */
export function waitsForPerson({ authorization, confirmation }: CallRecord): boolean {
  if (authorization !== 'confirm') return false;
  return confirmation === null || confirmation.status === 'pending';
}

/** What was saved of the turn that is open; `null` when that was committed, or taken back, since. */
export function openPartOf({ partial, turns, lastCursor }: RunRecord): PartialText | null {
  if (partial?.turn !== turns.length + 1) return null;
  const [said, stored] = [parseCursor(partial.cursor), parseCursor(lastCursor ?? '')];
  const isNewest = said && (!stored || comparePlaces(said, stored) > 0);
  return isNewest ? partial : null;
}

/** The answer that the provider is making for the open turn, whatever became of its owner; `null` if there is none. */
export function openResponseOf({ partial, turns }: RunRecord): string | null {
  return partial?.turn === turns.length + 1 ? (partial.responseId ?? null) : null;
}
