import { comparePlaces, parseCursor } from '../../events/cursor.ts';
import type { LiveLog, LogKey, LogReader, LogWake, LogWriter } from '../../events/live-log.ts';
import { isTerminal, type RunEvent } from '../../events/run-event.ts';
import { AgingMap } from './aging-map.ts';

/** How much is kept of finished runs: the oldest is dropped first. */
export interface LiveLogLimits {
  readonly replayRuns: number;
  readonly replayEvents: number;
}

/** The log of one run: an array, and the readers that have caught up with it. */
interface Log {
  events: readonly RunEvent[];
  /** The same array while events may be added. */
  open: RunEvent[] | undefined;
  epoch: number;
  isDropped: boolean;
  /** Whether it was begun for an owner who came after others. */
  readonly isHeirs: boolean;
  readonly readers: Set<ArrayReader>;
}

/**
 * A LiveLog in arrays. The events of a run are kept once, however many read them, and readers get them uncopied.
 * Drops whole logs only, and only of runs that ended.
 */
export function inProcessLiveLog(limits: LiveLogLimits): LiveLog {
  const logs = new Map<string, Log>();
  const finished = new AgingMap<string, Log>();
  let finishedEvents = 0;
  let isClosed = false;

  function finish(key: string, log: Log): void {
    log.open = undefined;
    finished.set(key, log);
    finishedEvents += log.events.length;
    while (finished.size > limits.replayRuns || finishedEvents > limits.replayEvents) {
      const [oldest, dropped] = finished.shift() ?? [];
      if (oldest === undefined || dropped === undefined) return;
      finishedEvents -= dropped.events.length;
      drop(oldest, dropped);
    }
  }

  function drop(key: string, log: Log): void {
    logs.delete(key);
    log.events = [];
    log.open = undefined;
    log.isDropped = true;
    wake(log);
  }

  return {
    open(key, epoch, stored = null) {
      const name = nameOf(key);
      const log = logs.get(name) ?? newLog(isOfEarlier(stored, epoch));
      if (!isClosed) logs.set(name, log);
      log.epoch = Math.max(log.epoch, epoch);
      return new ArrayWriter(log, epoch, () => finish(name, log));
    },
    tail: async (key, after) => {
      const log = logs.get(nameOf(key));
      if (log === undefined) return undefined;
      if (after === undefined && !isWhole(log)) return undefined;
      const next = after === undefined ? 0 : indexAfter(log.events, after);
      return next === undefined ? undefined : new ArrayReader(log, next);
    },
    close: async () => {
      isClosed = true;
      for (const [key, log] of logs) drop(key, log);
      finished.clear();
    },
  };
}

function nameOf({ runId, incarnation }: LogKey): string {
  return JSON.stringify([runId, incarnation]);
}

function newLog(isHeirs: boolean): Log {
  const events: RunEvent[] = [];
  return { events, open: events, epoch: 0, isDropped: false, isHeirs, readers: new Set() };
}

function isOfEarlier(cursor: string | null, epoch: number): boolean {
  return cursor !== null && (parseCursor(cursor)?.epoch ?? epoch) < epoch;
}

/** Whether it begins with the run: what owners in other processes said is not here. */
function isWhole({ isHeirs, events }: Log): boolean {
  return !isHeirs || events[0]?.type === 'run_started';
}

function wake(log: Log): void {
  for (const reader of log.readers) reader.wake();
}

class ArrayWriter implements LogWriter {
  readonly #log: Log;
  readonly #epoch: number;
  readonly #finish: () => void;

  constructor(log: Log, epoch: number, finish: () => void) {
    this.#log = log;
    this.#epoch = epoch;
    this.#finish = finish;
  }

  publish(event: RunEvent): void {
    const log = this.#log;
    if (log.open === undefined || this.#epoch !== log.epoch) return;
    log.open.push(event);
    if (isTerminal(event)) this.#finish();
    wake(log);
  }

  async close(): Promise<void> {}
}

class ArrayReader implements LogReader {
  readonly #log: Log;
  #next: number;
  #isClosed = false;
  #wake: LogWake | undefined;

  constructor(log: Log, next: number) {
    this.#log = log;
    this.#next = next;
  }

  take(max: number): readonly RunEvent[] {
    if (this.#isClosed) return [];
    const events = this.#log.events.slice(this.#next, this.#next + max);
    this.#next += events.length;
    return events;
  }

  wait(wake: LogWake): void {
    const state = this.#state();
    if (state !== undefined) {
      wake(state);
      return;
    }
    this.#wake = wake;
    // Stays among the readers until it is closed: nearly always it waits again after the next event.
    this.#log.readers.add(this);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake = undefined;
    this.#log.readers.delete(this);
  }

  /** Something was added, or the log was dropped. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(this.#state() ?? 'more');
  }

  #state(): 'more' | 'lost' | undefined {
    if (this.#isClosed || this.#log.isDropped) return 'lost';
    return this.#next < this.#log.events.length ? 'more' : undefined;
  }
}

/** The place behind the event with exactly this cursor; `undefined` when the log has no such event. */
function indexAfter(events: readonly RunEvent[], cursor: string): number | undefined {
  const wanted = parseCursor(cursor);
  let low = 0;
  let high = events.length;
  while (wanted !== undefined && low < high) {
    const middle = (low + high) >>> 1;
    const at = events[middle]?.cursor ?? '';
    if (at === cursor) return middle + 1;
    const here = parseCursor(at);
    if (here === undefined) return undefined;
    if (comparePlaces(here, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}
