import { EventQueue } from './event-queue.ts';
import type { ModelEvent } from './model-events.ts';

/**
 * Gives each event of a model's stream to `take` until that answers `true`: it has enough. Resolves with whether it
 * had, or else the stream ended; rejects where the stream or `take` throws. What our own client serves is handed over
 * as the socket pushes it: a promise for each piece would be most of what a piece costs.
 */
export function takeEvents(
  stream: AsyncIterable<ModelEvent>,
  take: (event: ModelEvent) => boolean,
): Promise<boolean> {
  if (stream instanceof EventQueue && stream.isIdle) return stream.handOver(take);
  return takeEach(stream, take);
}

async function takeEach(
  stream: AsyncIterable<ModelEvent>,
  take: (event: ModelEvent) => boolean,
): Promise<boolean> {
  for await (const event of stream) if (take(event)) return true;
  return false;
}
