import type { Usage } from '../events/run-event.ts';
import { isRecord } from '../internal/json.ts';

/** The token counts of either API under one set of names; `null` where the provider sent none. */
export function readUsage(value: unknown): Usage | null {
  if (!isRecord(value)) return null;
  const inputTokens = count(value['input_tokens'] ?? value['prompt_tokens']);
  const outputTokens = count(value['output_tokens'] ?? value['completion_tokens']);
  const input = value['input_tokens_details'] ?? value['prompt_tokens_details'];
  const output = value['output_tokens_details'] ?? value['completion_tokens_details'];
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(value['total_tokens'], inputTokens + outputTokens),
    cachedTokens: isRecord(input) ? count(input['cached_tokens']) : 0,
    reasoningTokens: isRecord(output) ? count(output['reasoning_tokens']) : 0,
  };
}

function count(value: unknown, otherwise = 0): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}
