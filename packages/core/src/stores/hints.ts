import type { Owner } from './run-store.ts';

/** What somebody may want to look at: a run, or whatever runs in a conversation. */
export type Hint =
  | { readonly runId: string }
  | (Pick<Owner, 'tenantId' | 'userId'> & { readonly conversationId: string });

/**
 * Tells other processes at once that somebody asked something of a run (cancel, steer, an answer), which they would
 * otherwise see in the store with their next beat. A hint may be lost or come twice: that delays and harms nothing.
 * Conformance: `testHints`.
 */
export interface Hints {
  /** Tells all listeners, of this process and of others. Never waits and never throws. */
  tell(hint: Hint): void;
  /** Calls `listener` with each hint from about now on, until the returned function is called. */
  listen(listener: (hint: Hint) => void): () => void;
}
