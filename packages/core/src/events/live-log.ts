import type { RunEvent } from './run-event.ts';

/** Names the log of one run. `incarnation` keeps the log of a deleted and re-created run apart. */
export interface LogKey {
  readonly runId: string;
  readonly incarnation: string;
}

/** The owner's end of a log. */
export interface LogWriter {
  /**
   * Appends an event. Never waits and never throws: drivers that have to send it somewhere do so in batches.
   * Events come with rising cursors (`<epoch>-<k>`); a writer of a lower epoch than one already seen is ignored.
   * Before its own events a writer may show some of earlier epochs that their owner stored and could not show.
   */
  publish(event: RunEvent): void;
  /** Sends what is buffered. Readers end after the terminal event, not because of this. */
  close(): Promise<void>;
}

/** Called by a log when a reader that waits can go on. Returns at once and does not throw. */
export type LogWake = (why: 'more' | 'lost') => void;

/** A reader's place in a log: a cursor and a wake-up, never a queue. */
export interface LogReader {
  /** The events after the last ones taken, at most `max`; empty when there are none yet. Does not wait. */
  take(max: number): readonly RunEvent[];
  /**
   * Calls `wake` once: with `'more'` when `take` would return something, with `'lost'` when the log lost what this
   * reader needs, or was dropped or closed. At once where that is so already. Only one wait at a time.
   */
  wait(wake: LogWake): void;
  /** Gives the place up; a `wait` is forgotten. Safe to call twice. */
  close(): void;
}

/**
 * The hot log of runs: what is streamed, for everyone who reads. Losing it loses speed, never truth: the store has
 * every durable event. Conformance: `testLiveLog`.
 */
export interface LiveLog {
  /**
   * Opens the log for the owner of `epoch`. `stored` is the cursor of the newest durable event of the owners before: a
   * log that does not have it when this one says something of its own has a gap there, and must not serve readers across it.
   */
  open(key: LogKey, epoch: number, stored?: string | null): LogWriter;
  /**
   * A reader of the events after the cursor `after`, from the first event without it; `undefined` when the log does
   * not hold the run, cannot serve that cursor without a gap, or cannot be reached. Never rejects.
   */
  tail(key: LogKey, after?: string): Promise<LogReader | undefined>;
  /** Releases everything; readers that wait are woken with `'lost'`. */
  close(): Promise<void>;
}
