import type { Wake } from '../stores/run-store.ts';

/** Does one segment of one run; resolves when the segment is over. Never throws. */
export type SegmentHandler = (wake: Wake, signal: AbortSignal) => Promise<void>;

/** What an engine is doing. */
export interface EngineStats {
  readonly queued: number;
  readonly running: number;
}

/**
 * Moves work: brings each enqueued segment to some process, at least once. Which process owns a run is decided by the
 * RunStore, so bringing a segment twice, late or to two processes is harmless. Conformance: `testRunEngine`.
 */
export interface RunEngine {
  /** Whether it brings segments to other processes as well: then they need the same stores. */
  readonly isShared: boolean;
  /** Queues a segment; the same `(runId, segment)` while queued or running changes nothing. */
  enqueue(wake: Wake): Promise<void>;
  /** Begins to hand segments to `handler`. */
  start(handler: SegmentHandler): Promise<void>;
  /**
   * Takes no more; gives running segments `drainMs` to end, then aborts their signal and waits for them, and for `until`.
   * As long as it waits, `enqueue` does not fail: what is given back goes to other processes.
   */
  stop(drainMs: number, until?: Promise<void>): Promise<void>;
  /** What the engine is doing in this process. */
  stats(): EngineStats;
}
