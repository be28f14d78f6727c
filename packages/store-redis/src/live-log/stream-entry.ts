import type { RunEvent } from '@steward/core';

/** One event as it lies in a stream. */
export interface StreamEntry {
  /** The cursor of the event. */
  readonly id: string;
  /** The cursor of the event before it; `''` for the first one of a stream, {@link gap} where events are missing. */
  readonly before: string;
  readonly event: RunEvent;
}

/** Stands where the event before was lost. No cursor is like it. */
export const gap = '?';

/**
 * The id of the entry without an event that the first owner of a run puts at the very beginning: there is a stream before
 * there are events, so readers elsewhere need not wait for the first one, and what begins with it begins with the run.
 */
export const beginning = '0-1';

/** Reads what XRANGE and XREAD answer for one stream. */
export function readEntries(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  return reply
    .filter(([id]: [string]) => id !== beginning)
    .map(([id, [, before, , body]]: [string, string[]]) => ({
      id,
      before: before ?? '',
      event: JSON.parse(body ?? '') as RunEvent,
    }));
}

/** Whether each entry follows the one before it. */
export function isChained(entries: readonly StreamEntry[]): boolean {
  return entries.every(({ before }, index) => index === 0 || before === entries[index - 1]?.id);
}

/**
 * Whether the entry is the first event of its run, and not just the oldest one that is left. When the first owner died
 * before its first event, the next one announces the run; what else a later owner says was not the first.
 */
export function beginsRun({ id, before, event }: StreamEntry): boolean {
  if (event.type === 'run_started') return before === beginning || before === '';
  return before === beginning && id.startsWith('1-');
}

/** Less than, equal to or greater than 0 as the cursor `a` comes before, is, or comes after `b`. */
export function compareIds(a: string, b: string): number {
  const [epoch = 0, k = 0] = a.split('-').map(Number);
  const [otherEpoch = 0, otherK = 0] = b.split('-').map(Number);
  return epoch - otherEpoch || k - otherK;
}
