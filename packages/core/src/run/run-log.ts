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
  readonly writer: LogWriter;
  readonly clock: Clock;
}

/**
 * The owner's pen: gives events their cursor and keeps one order. Durable events are stored first and shown after;
 * whatever is said in the meantime is shown behind them.
 */
export class RunLog {
  readonly #target: RunLogTarget;
  readonly #prefix: string;
  #next = 0;
  /** Says what came while a durable write was under way. */
  #held: EventBody[] | null = null;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(target: RunLogTarget) {
    this.#target = target;
    this.#prefix = `${target.epoch}-`;
  }

  /** A piece of the answer: the hot path, one object and no promise. */
  token(turn: number, text: string): void {
    if (this.#held) {
      this.#held.push({ type: 'token', turn, text });
      return;
    }
    const { runId, writer, clock } = this.#target;
    writer.publish({
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
    else this.#target.writer.publish(this.#place(body));
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
        if (shown(outcome)) for (const event of events) this.#target.writer.publish(event);
        return outcome;
      } finally {
        this.#showHeld();
      }
    };
    const written = this.#lastWrite.then(run, run);
    this.#lastWrite = written.catch(() => undefined);
    return written;
  }

  /** Sends what the live log still buffers. */
  close(): Promise<void> {
    return this.#target.writer.close();
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
