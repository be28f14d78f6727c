import type { ModelEvent } from './model-events.ts';

/** What feeds an {@link EventQueue}. */
export interface EventSource {
  /** The first event is wanted. */
  start(): void;
  /** Everything queued was taken: send more, if you stopped. */
  resume(): void;
  /** Nobody wants more. */
  cancel(): void;
}

type Result = IteratorResult<ModelEvent, undefined>;
const done: Result = { done: true, value: undefined };

/**
 * The events of one turn between the socket, which pushes, and the reader, who pulls. Written by hand because an async
 * generator costs several promises per token: here `next()` costs one, and `handOver()` none.
 */
export class EventQueue implements AsyncIterableIterator<ModelEvent, undefined, undefined> {
  readonly #source: EventSource;
  #events: ModelEvent[] = [];
  #head = 0;
  #state: 'idle' | 'open' | 'ended' = 'idle';
  /** Readers that wait; more than one only if somebody calls `next()` without awaiting. */
  readonly #waiting: (() => void)[] = [];
  #handOver: ((event: ModelEvent) => void) | undefined;

  constructor(source: EventSource) {
    this.#source = source;
  }

  /** Events that were pushed and not yet taken. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  /** Nobody has asked for an event yet. */
  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  push(event: ModelEvent): void {
    if (this.#state === 'ended') return;
    if (this.#handOver) {
      this.#handOver(event);
      return;
    }
    this.#events.push(event);
    if (this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  /** No event comes after this. What is queued can still be taken. */
  end(): void {
    this.#state = 'ended';
    for (const wake of this.#waiting.splice(0)) wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const event = this.#take();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#state === 'ended') return Promise.resolve(done);
    return new Promise((resolve) => {
      this.#wait(() => {
        const taken = this.#take();
        resolve(taken === undefined ? done : { done: false, value: taken });
      });
    });
  }

  /**
   * Gives each event to `take` at the moment it is pushed, until that answers `true`; resolves with whether it did.
   * Nothing is queued, so nothing has to pause. Only while the queue is {@link isIdle}, and instead of `next()`.
   */
  handOver(take: (event: ModelEvent) => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#handOver = (event) => {
        try {
          if (!take(event)) return;
          resolve(true);
        } catch (reason) {
          reject(reason);
        }
        this.#state = 'ended';
        // Not while the source is pushing: a turn that is over keeps its connection, and closes itself in a moment.
        queueMicrotask(() => this.#source.cancel());
      };
      this.#wait(() => resolve(false));
    });
  }

  return(): Promise<Result> {
    this.#events = [];
    this.#head = 0;
    this.end();
    this.#source.cancel();
    return Promise.resolve(done);
  }

  #wait(wake: () => void): void {
    this.#waiting.push(wake);
    if (this.#state === 'open') return;
    this.#state = 'open';
    this.#source.start();
  }

  #take(): ModelEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
      this.#source.resume();
    }
    return event;
  }
}
