import type { Clock } from '../internal/clock.ts';
import { systemClock } from '../internal/clock.ts';
import { wait } from '../internal/wait.ts';
import type { ModelClient } from './model-client.ts';

/** Settings of {@link demoModel}. */
export interface DemoModelOptions {
  /** Milliseconds between two words, so that it can be watched; 25 by default, 0 for tests. */
  readonly paceMs?: number;
  /** The clock that paces it. */
  readonly clock?: Clock;
}

/**
 * A stand-in for a model that works by rule, offline and without a key: it streams Markdown word by word, picks among the
 * offered tools by the user's words, reads their arguments from the message, asks for what is missing, and tells what
 * came of it. Use it to try an assistant, its tools and its confirmations; say on the screen that it is a demo.
 * It answers the same to the same request. For tests with exact answers there is `scriptedModel`.
 * Throws a `TypeError` for a pace that is no number from 0.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel } from '@steward/core';
 *
 * const assistant = new Assistant({ model: demoModel({ paceMs: 0 }) });
 * console.log(await assistant.run('What can you do?').text());
 * await assistant.close();
 * ```
 */
export function demoModel(options: DemoModelOptions = {}): ModelClient {
  const { paceMs = 25, clock = systemClock } = options;
  if (!Number.isFinite(paceMs) || paceMs < 0) {
    throw new TypeError(`paceMs must be a number of milliseconds from 0, got ${paceMs}`);
  }
  return {
    async *stream(request, { signal }) {
      try {
        // The rules are only loaded by who uses them.
        const { turnEvents } = await import('./demo/turn-events.ts');
        yield { type: 'start', requestId: null };
        for (const event of turnEvents(request)) {
          if (event.type === 'text' && paceMs > 0) await wait(clock, paceMs, signal);
          signal.throwIfAborted();
          yield event;
        }
      } catch (reason) {
        if (!signal.aborted) throw reason;
        const message = 'The request was aborted.';
        yield { type: 'error', error: { status: null, code: 'aborted', type: null, message } };
      }
    },
  };
}
