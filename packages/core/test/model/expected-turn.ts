import { expect } from 'vitest';

/** The parts of a case file that a replay needs. */
export interface RecordedCase {
  readonly api: 'chat' | 'responses';
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly stream: boolean;
  readonly body_file: string;
}

/** What an oracle file holds, as far as a replay looks. Its shape depends on `kind`. */
interface Oracle {
  readonly kind?: string;
  readonly status?: number | string;
  readonly choices?: readonly Oracle[];
  readonly text?: string | null;
  readonly refusal?: string | null;
  readonly reasoning_text?: string | null;
  readonly finish_reason?: string | null;
  readonly incomplete_reason?: string | null;
  readonly tool_calls?: readonly OracleCall[];
  readonly function_call?: OracleCall;
  readonly usage?: Record<string, number & Record<string, number>> | null;
  readonly error?: OracleError | null;
  readonly stream_error?: OracleError;
}
interface OracleCall {
  readonly id?: string;
  readonly call_id?: string;
  readonly type?: string;
  readonly name: string;
  readonly input?: string;
  readonly arguments_raw?: string | null;
  readonly arguments?: unknown;
  readonly arguments_valid_json?: boolean;
}
interface OracleError {
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string | null;
}

/** The turn that recorded bytes have to give, from what was computed of them without any SDK. */
export function expectedTurn(recorded: RecordedCase, oracle: Oracle): object {
  if (oracle.kind === 'http_error' || oracle.kind === 'inband_error') return failedTurn(oracle);
  const error = oracle.stream_error ?? oracle.error;
  return {
    ...(recorded.api === 'chat' ? chatTurn(oracle.choices?.[0] ?? {}) : responsesTurn(oracle)),
    usage: usage(oracle.usage),
    error: error ? { status: null, ...fields(error) } : null,
  };
}

function chatTurn(choice: Oracle): object {
  const { text, refusal = null, reasoning_text: reasoning, finish_reason: reason = null } = choice;
  const finishReason = reason === 'function_call' ? 'tool_calls' : reason;
  const toolCalls = calls(choice);
  return { text: text ?? '', refusal, reasoning: reasoning ?? '', toolCalls, finishReason };
}

function responsesTurn(oracle: Oracle): object {
  const { text, refusal = null } = oracle;
  return { text, refusal, toolCalls: calls(oracle), finishReason: responsesReason(oracle) };
}

function failedTurn({ status, error }: Oracle): object {
  return {
    text: '',
    toolCalls: [],
    finishReason: null,
    usage: null,
    error: { status: status ?? null, ...(error ? fields(error) : {}) },
  };
}

function fields({ code, type, message }: OracleError) {
  return { code, type, message };
}

function calls(choice: Oracle) {
  const all = choice.function_call ? [choice.function_call] : (choice.tool_calls ?? []);
  return all.map((call) => ({
    id: call.call_id || call.id || expect.stringMatching(/^call_\d+$/),
    name: call.name,
    argumentsText: call.type === 'custom' ? call.input : (call.arguments_raw ?? ''),
    arguments: call.arguments_valid_json ? call.arguments : undefined,
  }));
}

function responsesReason({ status, incomplete_reason: reason, tool_calls: called = [] }: Oracle) {
  if (status === 'completed') return called.length > 0 ? 'tool_calls' : 'stop';
  if (status === 'failed') return 'error';
  if (status !== 'incomplete') return null;
  return reason === 'content_filter' ? 'content_filter' : 'length';
}

function usage(told: Oracle['usage']) {
  if (!told) return null;
  const input = told['input_tokens_details'] ?? told['prompt_tokens_details'];
  const output = told['output_tokens_details'] ?? told['completion_tokens_details'];
  return {
    inputTokens: told['input_tokens'] ?? told['prompt_tokens'],
    outputTokens: told['output_tokens'] ?? told['completion_tokens'],
    totalTokens: told['total_tokens'],
    cachedTokens: input?.['cached_tokens'] ?? 0,
    reasoningTokens: output?.['reasoning_tokens'] ?? 0,
  };
}
