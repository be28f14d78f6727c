import type { Fence, Owner } from './run-store.ts';

/** A limit on the tokens that an owner may use in a window of time. */
export interface UsageLimit {
  /** Length of the window in milliseconds; windows begin at multiples of it since the Unix epoch. */
  readonly windowMs: number;
  readonly tokens: number;
}

/** Tokens used and reserved by an owner in the current window. */
export interface UsageReading {
  readonly used: number;
  readonly reserved: number;
}

/** What came of a reservation. */
export type Reservation =
  | { readonly granted: true }
  /** `retryAfterMs`: until the window that is full ends. */
  | { readonly granted: false; readonly retryAfterMs: number };

/**
 * The reservation id of a model turn under one owner. `RunStore.commitTurn` counts a turn's tokens under it, in its own
 * transaction: it settles the reservation if there is one, and a later `settle` changes nothing. For whoever reserves
 * tokens of a turn, and for those who write a RunStore.
 *
 * @example
 * ```ts
 * import { inProcessStores, turnReservation } from '@steward/core';
 *
 * const { usage } = inProcessStores();
 * const owner = { tenantId: 'default', userId: 'local' };
 * const day = { windowMs: 86_400_000, tokens: 100_000 };
 * await usage.reserve(owner, turnReservation({ runId: 'run_1', epoch: 1 }, 1), 4_000, [day]);
 * ```
 */
export function turnReservation(fence: Fence, turn: number): string {
  return `${fence.runId}:${fence.epoch}:${turn}`;
}

/** Token accounts with reserve-then-settle, exact across processes. */
export interface UsageStore {
  /** Reserves `tokens` for `reservationId` if every limit allows it. The same id again changes nothing. */
  reserve(
    owner: Owner,
    reservationId: string,
    tokens: number,
    limits: readonly UsageLimit[],
  ): Promise<Reservation>;
  /** Replaces a reservation by what was used. The same id again, or an unknown one, changes nothing. */
  settle(owner: Owner, reservationId: string, tokens: number): Promise<void>;
  /** What the current window of this length holds. */
  read(owner: Owner, windowMs: number): Promise<UsageReading>;
}
