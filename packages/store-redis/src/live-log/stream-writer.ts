import { isTerminal, type LogWriter, type RunEvent } from '@steward/core';
import { beginning, gap } from './stream-entry.ts';

/** The place of a writer. */
export interface WriterTarget {
  readonly streamKey: string;
  /** What goes to one server in one step. */
  readonly lane: string;
  readonly epoch: number;
  /** The newest stored cursor of earlier owners; `''` when there is none. */
  readonly stored: string;
}

/** How much is kept, where and how long. */
export interface StreamLimits {
  /** Events that a stream, a writer and a follower keep at least. */
  readonly events: number;
  /** Milliseconds that a stream lives after the end of its run. */
  readonly replayMs: number;
}

/** Who sends what writers have. */
export interface Outbox {
  readonly isClosed: boolean;
  /** Notes a writer that may publish. */
  enter(writer: StreamWriter): void;
  /** Forgets it. */
  leave(writer: StreamWriter): void;
  /** Sends soon what the writer has. */
  add(writer: StreamWriter): void;
}

/** A stream that nobody writes to any more, and whose run never ended, is gone after a day. */
const orphanMs = 24 * 60 * 60 * 1000;
const batchEvents = 256;
const batchChars = 512 * 1024;
/** How long `close` waits for a Redis that is away. */
const closeMs = 1_000;

/**
 * One owner's end of a stream. What it wrote it keeps, up to the limit: when the server lost the stream, or was away,
 * the writer fills it up again from where the server says it ends.
 */
export class StreamWriter implements LogWriter {
  readonly target: WriterTarget;
  readonly #queue: Outbox;
  readonly #limits: StreamLimits;
  #events: RunEvent[] = [];
  /** The cursor before the first event that is kept; `undefined` while nothing was dropped. */
  #dropped: string | undefined;
  /** How many of the events are in the stream, as far as is known. */
  #sent = 0;
  /** The stream does not have what was there: the next batch goes behind whatever there is. */
  #isForced = false;
  #isFenced = false;
  #isOpen = true;
  /** The last cursor of the batch that is under way. */
  #underWay: string | undefined;
  readonly #waiters = new Set<() => void>();

  constructor(target: WriterTarget, queue: Outbox, limits: StreamLimits) {
    this.target = target;
    this.#queue = queue;
    this.#limits = limits;
  }

  publish(event: RunEvent): void {
    if (this.#isFenced || this.#queue.isClosed) return;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#queue.enter(this);
    }
    this.#events.push(event);
    if (this.#events.length >= 2 * this.#limits.events) this.#forget(this.#limits.events);
    this.#queue.add(this);
  }

  async close(): Promise<void> {
    if (this.hasUnsent) await this.#sending();
    this.#isOpen = false;
    if (!this.hasUnsent) this.leave();
  }

  /** Whether there is something to send. */
  get hasUnsent(): boolean {
    return !this.#isFenced && this.#sent < this.#events.length;
  }

  /** Gives up what is kept. */
  leave(): void {
    this.#forget(0);
    this.#queue.leave(this);
    this.#release();
  }

  /** What the append script is called with, after the key. */
  batch(): (string | number)[] {
    const { epoch, stored } = this.target;
    const { events, replayMs } = this.#limits;
    const { entries, isEnd } = this.#entries();
    const lifetime = isEnd ? replayMs : Math.max(replayMs, orphanMs);
    const note = this.#isForced && this.#dropped !== undefined ? gap : '';
    const last = this.#isForced ? '' : this.#lastSent;
    return [epoch, events, lifetime, last, note, stored, ...entries];
  }

  /** The next events, as many as go together: the cursor and the body of each. */
  #entries() {
    const entries = this.#isWhole && this.#sent === 0 ? [beginning, ''] : [];
    let chars = 0;
    let last: RunEvent | undefined;
    for (const event of this.#events.slice(this.#sent, this.#sent + batchEvents)) {
      const body = JSON.stringify(event);
      entries.push(event.cursor, body);
      chars += body.length;
      last = event;
      if (chars > batchChars) break;
    }
    this.#underWay = last?.cursor;
    return { entries, isEnd: last !== undefined && isTerminal(last) };
  }

  /** Whether what is kept begins with the run. */
  get #isWhole(): boolean {
    return this.target.epoch === 1 && this.#dropped === undefined;
  }

  /** Where the stream ends, as far as is known; `''` when nothing is. */
  get #lastSent(): string {
    const last = this.#sent > 0 ? this.#events[this.#sent - 1]?.cursor : this.#dropped;
    return last ?? '';
  }

  /** Takes the script's answer to the batch. */
  settle(reply: unknown): void {
    const [outcome, last] = Array.isArray(reply) ? reply.map(String) : [];
    if (outcome === 'fenced') this.#isFenced = true;
    if (outcome === 'behind') this.#rewind(last ?? '');
    if (outcome === 'ok') {
      this.#sent = Math.max(this.#sent, this.#indexOf(this.#underWay) + 1);
      this.#isForced = false;
    }
    if (this.hasUnsent) return;
    this.#release();
    if (!this.#isOpen || this.#isFenced) this.leave();
  }

  /** The stream ends elsewhere than thought: goes on from there, or tells everything again. */
  #rewind(last: string): void {
    const at = this.#indexOf(last);
    this.#sent = at + 1;
    this.#isForced = at < 0 && last !== this.#dropped;
  }

  #indexOf(cursor: string | undefined): number {
    return this.#events.findLastIndex((event) => event.cursor === cursor);
  }

  #sending(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, closeMs);
      this.#waiters.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #release(): void {
    for (const release of this.#waiters) release();
    this.#waiters.clear();
  }

  #forget(keep: number): void {
    const count = this.#events.length - keep;
    if (count <= 0) return;
    this.#dropped = this.#events[count - 1]?.cursor;
    this.#events.splice(0, count);
    this.#sent = Math.max(0, this.#sent - count);
  }
}
