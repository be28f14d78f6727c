import type { Owner } from './run-store.ts';

/**
 * What somebody may want to look at: a run of which something was asked, or whatever runs in a conversation; or a run that
 * has a new owner.
 */
export type Hint =
  | { readonly runId: string }
  | { readonly claimedRunId: string }
  | (Pick<Owner, 'tenantId' | 'userId'> & { readonly conversationId: string });

/**
 * Tells other processes at once what they would otherwise see in the store with their next beat: that somebody asked
 * something of a run (cancel, steer, an answer), or that a run which its readers wait for has an owner. A hint may be lost or come twice: that delays and harms nothing.
 * Conformance: `testHints`.
 */
export interface Hints {
  /** Tells all listeners, of this process and of others. Never waits and never throws. */
  tell(hint: Hint): void;
  /** Calls `listener` with each hint from about now on, until the returned function is called. */
  listen(listener: (hint: Hint) => void): () => void;
}
