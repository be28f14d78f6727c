import { expect } from 'vitest';
import type { CollectedTurn } from '../../src/model/collect-turn.ts';

/** The parts of a case file that a replay needs. */
export interface RecordedCase {
  readonly api: 'chat' | 'responses';
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly stream: boolean;
  readonly body_file: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the oracle's files have one shape per kind, read in this file only
type Oracle = any;

const reasons: Record<string, string> = { function_call: 'tool_calls' };

/** Checks a turn against what was computed from the recorded bytes without any SDK. */
export function expectedTurn(recorded: RecordedCase, oracle: Oracle, turn: CollectedTurn): void {
  if (oracle.kind === 'http_error' || oracle.kind === 'inband_error')
    return expectError(oracle, turn);
  const choice = recorded.api === 'chat' ? oracle.choices[0] : oracle;
  expect(turn.text).toBe(choice.text ?? '');
  expect(turn.refusal).toBe(choice.refusal ?? null);
  expect(turn.toolCalls).toEqual(calls(choice));
  expect(turn.finishReason).toBe(finishReason(recorded, choice, turn));
  expect(turn.usage).toEqual(usage(oracle.usage));
  if (recorded.api === 'chat') expect(turn.reasoning).toBe(choice.reasoning_text ?? '');
  const error = oracle.stream_error ?? oracle.error;
  if (!error) return expect(turn.error).toBeNull();
  expect(turn.error).toMatchObject({ status: null, ...fields(error) });
}

function expectError(oracle: Oracle, turn: CollectedTurn): void {
  expect(turn.text).toBe('');
  expect(turn.toolCalls).toEqual([]);
  expect(turn.error?.status).toBe(oracle.status ?? null);
  if (oracle.error) expect(turn.error).toMatchObject(fields(oracle.error));
}

function fields({ code, type, message }: Oracle) {
  return { code, type, message };
}

function calls(choice: Oracle) {
  const all = choice.function_call ? [{ id: '', ...choice.function_call }] : choice.tool_calls;
  return all.map((call: Oracle) => ({
    id: (call.call_id ?? call.id) || expect.stringMatching(/^call_\d+$/),
    name: call.name,
    argumentsText: call.type === 'custom' ? call.input : (call.arguments_raw ?? ''),
    arguments: call.arguments_valid_json ? call.arguments : undefined,
  }));
}

function finishReason(recorded: RecordedCase, choice: Oracle, turn: CollectedTurn): string | null {
  if (recorded.api === 'chat') return reasons[choice.finish_reason] ?? choice.finish_reason;
  if (choice.status === 'completed') return turn.toolCalls.length > 0 ? 'tool_calls' : 'stop';
  if (choice.status === 'failed') return 'error';
  if (choice.status !== 'incomplete') return null;
  return choice.incomplete_reason === 'content_filter' ? 'content_filter' : 'length';
}

function usage(told: Oracle) {
  if (!told) return null;
  const input = told.input_tokens ?? told.prompt_tokens;
  const output = told.output_tokens ?? told.completion_tokens;
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: told.total_tokens,
    cachedTokens: (told.input_tokens_details ?? told.prompt_tokens_details)?.cached_tokens ?? 0,
    reasoningTokens:
      (told.output_tokens_details ?? told.completion_tokens_details)?.reasoning_tokens ?? 0,
  };
}
