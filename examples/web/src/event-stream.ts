import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RunEvent } from '@steward/core';

const retryMs = 500;

/** How a stream of events is kept up. */
export interface EventStreamOptions {
  /** Milliseconds between comments that keep proxies from closing a quiet stream. */
  readonly heartbeatMs: number;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

/**
 * Sends events as server-sent events, each with its cursor as the id: the browser sends the last one back when it
 * reconnects. A slow reader is waited for; one that leaves only gives up its place, the run goes on.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<RunEvent>,
  options: EventStreamOptions,
): Promise<void> {
  const left = new AbortController();
  const leave = () => left.abort();
  response.once('close', leave);
  options.signal.addEventListener('abort', leave, { once: true });
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(`retry: ${retryMs}\n\n`);
  const heartbeat = setInterval(() => response.write(':\n\n'), options.heartbeatMs);
  try {
    await copy(response, events[Symbol.asyncIterator](), left.signal);
  } finally {
    clearInterval(heartbeat);
    options.signal.removeEventListener('abort', leave);
    response.off('close', leave);
    response.end();
  }
}

async function copy(
  response: ServerResponse,
  events: AsyncIterator<RunEvent>,
  left: AbortSignal,
): Promise<void> {
  if (left.aborted) return;
  const gone = once(left, 'abort').then(() => 'gone' as const);
  for (;;) {
    const step = await Promise.race([events.next(), gone]);
    if (step === 'gone' || step.done) break;
    const { value: event } = step;
    const fits = response.write(`id: ${event.cursor}\ndata: ${JSON.stringify(event)}\n\n`);
    if (!fits && (await Promise.race([once(response, 'drain'), gone])) === 'gone') break;
  }
  await events.return?.();
}
