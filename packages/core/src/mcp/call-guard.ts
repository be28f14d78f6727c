import {
  type BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
} from 'cockatiel';
import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';
import type { BreakerStore } from '../stores/breaker-store.ts';

/** What keeps a server and those who call it from each other's troubles. */
export interface CallGuardOptions {
  readonly server: string;
  readonly breakers: BreakerStore;
  /** Calls at the same time. */
  readonly maxParallelCalls: number;
}

/** Calls that wait for a place; the next one is refused. */
const MAX_WAITING = 512;
/** Failures one after another that open the breaker. */
const FAILURES = 5;
/** How long a server is left alone then. */
const COOLING_MS = 15_000;
/** How long the one call may take that tries a server again, before another one tries. */
const PROBE_MS = 60_000;
/** Failures of the server or on the way to it; any other is an answer. */
const TROUBLES: ReadonlySet<ErrorCode> = new Set(['mcp_unavailable', 'outcome_unknown']);

/**
 * Lets calls to one server through while it works: so many at a time, and after failures in a row none for a while, which
 * all processes know of. What is refused did not run.
 */
export class CallGuard {
  readonly #options: CallGuardOptions;
  readonly #places: BulkheadPolicy;
  readonly #breaker = new ConsecutiveBreaker(FAILURES);

  constructor(options: CallGuardOptions) {
    this.#options = options;
    this.#places = bulkhead(options.maxParallelCalls, MAX_WAITING);
  }

  /** Makes a call. Throws `mcp_unavailable` when it is not let through, and what the call throws. */
  async run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await this.#places.execute(() => {
        signal.throwIfAborted();
        return this.#guarded(call, signal);
      }, signal);
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      throw this.#unavailable('has too many calls at once', 1_000);
    }
  }

  async #guarded<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { breakers } = this.#options;
    const admission = await breakers.admit(this.#name, PROBE_MS);
    if (!admission.allowed) {
      throw this.#unavailable('is temporarily unavailable', admission.retryAfterMs);
    }
    try {
      const answer = await call();
      await this.#worked(admission.isProbe);
      return answer;
    } catch (error) {
      if (isTrouble(error, signal)) await this.#failed(admission.isProbe);
      else if (!signal.aborted) await this.#worked(admission.isProbe);
      throw error;
    }
  }

  async #worked(isProbe: boolean): Promise<void> {
    this.#breaker.success();
    if (isProbe) await this.#options.breakers.close(this.#name);
  }

  async #failed(isProbe: boolean): Promise<void> {
    const opens = this.#breaker.failure();
    if (opens || isProbe) await this.#options.breakers.open(this.#name, COOLING_MS);
  }

  get #name(): string {
    return `mcp/${this.#options.server}`;
  }

  #unavailable(how: string, retryAfterMs: number): StewardError {
    const seconds = Math.ceil(retryAfterMs / 1_000);
    const message = `MCP server "${this.#options.server}" ${how}; try again in ${seconds} s, or go on without it.`;
    return new StewardError('mcp_unavailable', message, { retryAfterMs });
  }
}

/** Who cancels a call says nothing of the server; a call that ran out of its time does. */
function isTrouble(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) {
    return signal.reason instanceof StewardError && signal.reason.code === 'tool_timeout';
  }
  return error instanceof StewardError && TROUBLES.has(error.code);
}
