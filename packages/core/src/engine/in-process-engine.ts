import { StewardError } from '../errors/steward-error.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import type { Wake } from '../stores/run-store.ts';
import type { EngineStats, RunEngine, SegmentHandler } from './run-engine.ts';

/** How an {@link InProcessEngine} works. */
export interface InProcessEngineOptions {
  /** Segments that run at the same time; 100 by default. */
  readonly concurrency?: number;
  /** Measures the drain time of `stop`; the machine's clock by default. */
  readonly clock?: Clock;
}

/**
 * A RunEngine in this process: a queue and a number of places, without a timer of its own. The default of an assistant;
 * for several processes that share their stores use one that they share as well. `concurrency` is a positive integer,
 * else a `TypeError`. What is queued when it stops is not run: the store still has it, and the next engine gets it
 * from the sweep.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, InProcessEngine } from '@steward/core';
 *
 * const assistant = new Assistant({ model: demoModel(), engine: new InProcessEngine({ concurrency: 10 }) });
 * await assistant.close();
 * ```
 */
export class InProcessEngine implements RunEngine {
  readonly isShared = false;
  readonly #concurrency: number;
  readonly #clock: Clock;
  readonly #queued = new Map<string, Wake>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #aborting = new AbortController();
  #handler: SegmentHandler | undefined;
  #isStopped = false;

  constructor({ concurrency = 100, clock = systemClock }: InProcessEngineOptions = {}) {
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new TypeError(
        `InProcessEngine: concurrency must be a positive integer, not ${concurrency}.`,
      );
    }
    this.#concurrency = concurrency;
    this.#clock = clock;
  }

  async enqueue(wake: Wake): Promise<void> {
    const key = `${wake.segment} ${wake.runId}`;
    if (this.#isStopped || this.#running.has(key) || this.#queued.has(key)) return;
    this.#queued.set(key, { runId: wake.runId, segment: wake.segment });
    this.#fill();
  }

  /** Throws `closed` after `stop`, and a `TypeError` when it was started before. */
  async start(handler: SegmentHandler): Promise<void> {
    if (this.#isStopped)
      throw new StewardError('closed', 'The engine was stopped; make a new one.');
    if (this.#handler !== undefined)
      throw new TypeError('InProcessEngine: start was called twice.');
    this.#handler = handler;
    this.#fill();
  }

  async stop(drainMs: number, until?: Promise<void>): Promise<void> {
    this.#isStopped = true;
    this.#queued.clear();
    const cancelTimer =
      this.#running.size === 0
        ? undefined
        : this.#clock.schedule(() => this.#aborting.abort(), drainMs);
    await Promise.all([until, ...this.#running.values()]);
    cancelTimer?.();
  }

  stats(): EngineStats {
    return { queued: this.#queued.size, running: this.#running.size };
  }

  #fill(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    for (const [key, wake] of this.#queued) {
      if (this.#running.size >= this.#concurrency) return;
      this.#queued.delete(key);
      this.#running.set(
        key,
        this.#run(key, () => handler(wake, this.#aborting.signal)),
      );
    }
  }

  async #run(key: string, segment: () => Promise<void>): Promise<void> {
    // One turn later: whoever enqueues goes on first, and a handler that throws at once is like any other.
    await Promise.resolve();
    try {
      await segment();
    } catch (reason) {
      // A handler must not throw; the engine goes on, and the sweep brings the run back.
      process.emitWarning(StewardError.from(reason, 'internal'));
    } finally {
      this.#running.delete(key);
      this.#fill();
    }
  }
}
