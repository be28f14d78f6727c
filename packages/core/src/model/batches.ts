import { EventQueue } from './event-queue.ts';
import type { ModelEvent } from './model-events.ts';

/** A model's events in the portions in which they arrived. */
export interface EventBatches {
  /** At least one event; `undefined` at the end. Rejects where the stream throws. */
  next(): Promise<readonly ModelEvent[] | undefined>;
  /** Gives the stream up. */
  stop(): Promise<void>;
}

/** Reads any model's stream in batches: one promise for all that has arrived where our own client serves it. */
export function readBatches(stream: AsyncIterable<ModelEvent>): EventBatches {
  if (stream instanceof EventQueue) {
    return {
      next: () => stream.batch(),
      stop: async () => void (await stream.return()),
    };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? undefined : [value];
    },
    stop: async () => void (await iterator.return?.()),
  };
}
