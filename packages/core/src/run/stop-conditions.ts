import type { CompleteReason } from '../events/run-event.ts';
import type { OwnedRun } from './owned-run.ts';

/** The limit that forbids another model turn, if one does. The deadline stops a run wherever it is. */
export function stopReason(run: OwnedRun): CompleteReason | null {
  const { limits, budgets } = run.settings;
  if (run.turns.length >= (run.options.maxTurns ?? limits.maxTurns)) return 'max_turns';
  const budget = run.options.tokenBudget ?? budgets.runTokens;
  if (budget !== null && run.usage.totalTokens >= budget) return 'budget';
  return null;
}
