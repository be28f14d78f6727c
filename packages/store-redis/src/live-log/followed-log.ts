import type { LogReader, LogWake, RunEvent } from '@steward/core';
import { beginning, beginsRun, compareIds, isChained, type StreamEntry } from './stream-entry.ts';

/**
 * The stream of one run as far as this process has read it: an array that all its readers share. A reader is a number;
 * the first event of the array has the number `#first`, which falls when older events are put in front and rises when
 * they are dropped.
 */
export class FollowedLog {
  readonly streamKey: string;
  readonly #limit: number;
  readonly #onIdle: (log: FollowedLog) => void;
  #events: RunEvent[] = [];
  #first = 0;
  /** The cursor before the first event. */
  #before = '';
  /** The cursor of the last event. */
  #last = '';
  #isLost = false;
  readonly #readers = new Set<FollowedReader>();

  constructor(streamKey: string, limit: number, onIdle: (log: FollowedLog) => void) {
    this.streamKey = streamKey;
    this.#limit = limit;
    this.#onIdle = onIdle;
  }

  /** The entry after which the server goes on. */
  get lastId(): string {
    return this.#last || beginning;
  }

  /** The first events of this log, whatever came before them. */
  begin(entries: readonly StreamEntry[]): void {
    this.#before = entries[0]?.before ?? '';
    this.#append(entries);
  }

  /** What came after. An event that does not follow the last one means that some are missing: the log is then lost. */
  follow(given: readonly StreamEntry[]): void {
    const entries = given.filter(({ id }) => this.#last === '' || compareIds(id, this.#last) > 0);
    const [first] = entries;
    if (first === undefined || this.#isLost) return;
    const follows = this.#last === '' ? beginsRun(first) : first.before === this.#last;
    if (!follows || !isChained(entries)) {
      this.lose();
      return;
    }
    this.#append(entries);
    if (this.#events.length >= 2 * this.#limit) this.#drop(this.#events.length - this.#limit);
    this.#wake();
  }

  /** Puts what came before in front; `false` when it does not join. */
  prepend(entries: readonly StreamEntry[]): boolean {
    if (entries.at(-1)?.id !== this.#before || this.#isLost) return false;
    this.#before = entries[0]?.before ?? '';
    this.#events = [...entries.map(({ event }) => event), ...this.#events];
    this.#first -= entries.length;
    return true;
  }

  /** The cursor of the first event. */
  get firstId(): string | undefined {
    return this.#events[0]?.cursor;
  }

  /** A reader of what comes after the cursor, from the first event of the run without it. */
  read(after: string | undefined): LogReader | undefined {
    const place = after === undefined ? this.#beginning() : this.#placeAfter(after);
    if (place === undefined || this.#isLost) return undefined;
    const reader = new FollowedReader(this, place);
    this.#readers.add(reader);
    return reader;
  }

  /** Nothing can be added any more; readers take what there is and are told. */
  lose(): void {
    this.#isLost = true;
    this.#wake();
    this.#onIdle(this);
  }

  take(place: number, max: number): readonly RunEvent[] {
    const from = place - this.#first;
    return from < 0 ? [] : this.#events.slice(from, from + max);
  }

  stateAt(place: number): 'more' | 'lost' | undefined {
    if (place < this.#first) return 'lost';
    if (place < this.#first + this.#events.length) return 'more';
    return this.#isLost ? 'lost' : undefined;
  }

  leave(reader: FollowedReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#onIdle(this);
  }

  #append(entries: readonly StreamEntry[]): void {
    for (const { event } of entries) this.#events.push(event);
    this.#last = entries.at(-1)?.id ?? this.#last;
  }

  #drop(count: number): void {
    this.#before = this.#events[count - 1]?.cursor ?? this.#before;
    this.#events.splice(0, count);
    this.#first += count;
  }

  #beginning(): number | undefined {
    const [event] = this.#events;
    if (event === undefined) return this.#first;
    const isWhole = beginsRun({ id: event.cursor, before: this.#before, event });
    return isWhole ? this.#first : undefined;
  }

  #placeAfter(cursor: string): number | undefined {
    // From the end: who resumes has seen nearly everything.
    const at = this.#events.findLastIndex((event) => event.cursor === cursor);
    return at < 0 ? undefined : this.#first + at + 1;
  }

  #wake(): void {
    for (const reader of this.#readers) reader.wake();
  }
}

class FollowedReader implements LogReader {
  readonly #log: FollowedLog;
  #place: number;
  #isClosed = false;
  #wake: LogWake | undefined;

  constructor(log: FollowedLog, place: number) {
    this.#log = log;
    this.#place = place;
  }

  take(max: number): readonly RunEvent[] {
    if (this.#isClosed) return [];
    const events = this.#log.take(this.#place, max);
    this.#place += events.length;
    return events;
  }

  wait(wake: LogWake): void {
    const state = this.#state();
    if (state === undefined) this.#wake = wake;
    else wake(state);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake = undefined;
    this.#log.leave(this);
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(this.#state() ?? 'more');
  }

  #state(): 'more' | 'lost' | undefined {
    return this.#isClosed ? 'lost' : this.#log.stateAt(this.#place);
  }
}
