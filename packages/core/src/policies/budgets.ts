import type { Owner } from '../stores/run-store.ts';
import type { UsageLimit, UsageStore } from '../stores/usage-store.ts';

/** What runs may cost. */
export interface Budgets {
  /** Tokens of one run over all its turns; `null` for no limit. Checked before each turn. */
  readonly runTokens: number | null;
  /** Tokens of one user in windows of time, exact across processes. */
  readonly userTokens: readonly UsageLimit[];
  /** Tokens reserved before a turn besides those of its prompt; what was not used is given back after it. */
  readonly reserveTokens: number;
}

/** A turn's share of the user's tokens, taken before the turn and settled after it. */
export interface TurnReservation {
  readonly granted: boolean;
  /** The estimate of the turn's prompt. */
  readonly promptTokens: number;
  settle(usedTokens: number): Promise<void>;
}

const free: TurnReservation = { granted: true, promptTokens: 0, settle: async () => {} };

/** Reserves a turn's tokens from the user's budget. Costs nothing when no user budget is set. */
export async function reserveTurn(
  store: UsageStore,
  budgets: Budgets,
  turn: { readonly owner: Owner; readonly id: string; readonly promptTokens: () => number },
): Promise<TurnReservation> {
  if (budgets.userTokens.length === 0) return free;
  const promptTokens = turn.promptTokens();
  const tokens = promptTokens + budgets.reserveTokens;
  const reservation = await store.reserve(turn.owner, turn.id, tokens, budgets.userTokens);
  return {
    granted: reservation.granted,
    promptTokens,
    settle: (used) => store.settle(turn.owner, turn.id, used),
  };
}
