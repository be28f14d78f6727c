/** Time as Steward sees it; replaced by a fake in tests. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fn` once after `ms`; the returned function cancels. Keeps the process alive unless `background`. */
  schedule(fn: () => void, ms: number, options?: { readonly background: boolean }): () => void;
}

/** The longest delay that a timer of the machine can keep; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(fn, ms, options) {
    const timer = setTimeout(fn, Math.min(ms, longestTimerMs));
    if (options?.background) timer.unref();
    return () => clearTimeout(timer);
  },
};
