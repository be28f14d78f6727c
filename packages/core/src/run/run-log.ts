import type { LogWriter } from '../events/live-log.ts';
import type { RunEvent } from '../events/run-event.ts';
import type { Clock } from '../internal/clock.ts';

type WithoutPlace<E> = E extends RunEvent ? Omit<E, 'runId' | 'at' | 'cursor'> : never;

/** A {@link RunEvent} before it has its place in the log. */
export type EventBody = WithoutPlace<RunEvent>;

/** Where a {@link RunLog} writes and under which name. */
export interface RunLogTarget {
  readonly runId: string;
  readonly epoch: number;
  /** How many events of this epoch were stored before there was a log. */
  readonly begun: number;
  readonly writer: LogWriter;
  readonly clock: Clock;
}

/**
 * The owner's pen: gives events their cursor and keeps one order. Durable events are stored first and shown after;
 * whatever is said in the meantime is shown behind them. After a write of which nobody knows whether it was stored,
 * nothing more is shown: what the log has is then always a beginning of the truth, and the next owner shows the rest.
 */
export class RunLog {
  readonly #target: RunLogTarget;
  readonly #prefix: string;
  #next: number;
  /** Says what came while a durable write was under way. */
  #held: EventBody[] | null = null;
  #isCut = false;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(target: RunLogTarget) {
    this.#target = target;
    this.#prefix = `${target.epoch}-`;
    this.#next = target.begun;
  }

  /** The cursor of the newest event that was said under this epoch, or is being stored. */
  get newest(): string {
    return this.#prefix + (this.#next - 1);
  }

  /** A piece of the answer: the hot path, one object and no promise. */
  token(turn: number, text: string): void {
    if (this.#held) {
      this.#held.push({ type: 'token', turn, text });
      return;
    }
    const { runId, clock } = this.#target;
    this.#publish({
      type: 'token',
      runId,
      at: clock.now(),
      cursor: this.#prefix + this.#next++,
      turn,
      text,
    });
  }

  /** Shows an event that needs no store. */
  show(body: EventBody): void {
    if (this.#held) this.#held.push(body);
    else this.#publish(this.#place(body));
  }

  /**
   * Stores events through `write` and then shows them, if `shown` agrees with what came of it. Writes of one run
   * follow each other, so the order in the store and in the log is the same.
   */
  store<T>(
    bodies: readonly EventBody[],
    write: (events: readonly RunEvent[]) => Promise<T>,
    shown: (outcome: T) => boolean = () => true,
  ): Promise<T> {
    const run = async (): Promise<T> => {
      const events = bodies.map((body) => this.#place(body));
      this.#held = [];
      try {
        const outcome = await write(events);
        if (shown(outcome)) for (const event of events) this.#publish(event);
        return outcome;
      } catch (reason) {
        this.#isCut = true;
        throw reason;
      } finally {
        this.#showHeld();
      }
    };
    const written = this.#lastWrite.then(run, run);
    this.#lastWrite = written.catch(() => undefined);
    return written;
  }

  /** Shows events that are stored and that nobody has shown. */
  showStored(events: readonly RunEvent[]): void {
    for (const event of events) this.#publish(event);
  }

  /** Sends what the live log still buffers. */
  close(): Promise<void> {
    return this.#target.writer.close();
  }

  #publish(event: RunEvent): void {
    if (!this.#isCut) this.#target.writer.publish(event);
  }

  #showHeld(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const body of held) this.show(body);
  }

  #place(body: EventBody): RunEvent {
    const { runId, clock } = this.#target;
    return { ...body, runId, at: clock.now(), cursor: this.#prefix + this.#next++ } as RunEvent;
  }
}
