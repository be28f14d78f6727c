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
 * generator costs several promises per token: here `next()` costs one, and `batch()` one for all that has arrived.
 */
export class EventQueue implements AsyncIterableIterator<ModelEvent, undefined, undefined> {
  readonly #source: EventSource;
  #events: ModelEvent[] = [];
  #head = 0;
  #state: 'idle' | 'open' | 'ended' = 'idle';
  /** Readers that wait; more than one only if somebody calls `next()` without awaiting. */
  readonly #waiting: (() => void)[] = [];

  constructor(source: EventSource) {
    this.#source = source;
  }

  /** Events that were pushed and not yet taken. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  push(event: ModelEvent): void {
    if (this.#state === 'ended') return;
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

  /** Everything that has arrived, at least one event; `undefined` at the end. */
  batch(): Promise<readonly ModelEvent[] | undefined> {
    if (this.length > 0) return Promise.resolve(this.#takeAll());
    if (this.#state === 'ended') return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // A microtask later, because the socket pushes all events of a slice in one go.
      this.#wait(() =>
        queueMicrotask(() => resolve(this.length > 0 ? this.#takeAll() : undefined)),
      );
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

  #takeAll(): readonly ModelEvent[] {
    const events = this.#head === 0 ? this.#events : this.#events.slice(this.#head);
    this.#events = [];
    this.#head = 0;
    this.#source.resume();
    return events;
  }
}
