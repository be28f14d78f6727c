import type { Usage } from './run-event.ts';

/** The usage of a run before its first turn. */
export const noUsage: Usage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
});

/** The sum of two usages; `null` where the provider did not count. */
export function addUsage(a: Usage, b: Usage | null): Usage {
  if (b === null) return a;
  return Object.freeze({
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  });
}
