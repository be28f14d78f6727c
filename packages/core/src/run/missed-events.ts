import { comparePlaces, parseCursor } from '../events/cursor.ts';
import type { RunEvent } from '../events/run-event.ts';
import type { PartialText, RunRecord } from '../stores/run-store.ts';

/** What a reader knows of the durable events of its run, to notice when the live log never showed one. */
export class MissedEvents {
  /** The cursor of the newest event that the reader has. */
  newest: string | undefined;
  /** The number of durable events up to which nothing is missing. */
  #checked: number | null = null;
  /** What was missing at the last check: the live log may have been about to show it. */
  #missing: string | null = null;

  constructor(newest: string | undefined) {
    this.newest = newest;
  }

  /** Notes events on their way to the reader. */
  see(events: readonly RunEvent[]): readonly RunEvent[] {
    this.newest = events.at(-1)?.cursor ?? this.newest;
    return events;
  }

  /** Notes that the reader is shown the whole state, with the open text. */
  show({ lastCursor, eventCount }: RunRecord, open: PartialText | null): void {
    this.newest = open?.cursor ?? lastCursor ?? undefined;
    this.#checked = eventCount;
    this.#missing = null;
  }

  /** Whether there may be durable events that the reader does not have. */
  isNews(eventCount: number): boolean {
    return eventCount !== this.#checked;
  }

  /** Whether a durable event did not come though there was time for it. */
  hasMissed({ lastCursor, eventCount }: RunRecord): boolean {
    if (lastCursor === null || this.#has(lastCursor)) {
      this.#checked = eventCount;
      this.#missing = null;
      return false;
    }
    const isOverdue = this.#missing === lastCursor;
    this.#missing = lastCursor;
    return isOverdue;
  }

  #has(cursor: string): boolean {
    const [newest, wanted] = [parseCursor(this.newest ?? ''), parseCursor(cursor)];
    return newest !== undefined && wanted !== undefined && comparePlaces(newest, wanted) >= 0;
  }
}
