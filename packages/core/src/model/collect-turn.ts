import type { Usage } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type {
  FinishReason,
  ModelError,
  ModelEvent,
  ModelFinish,
  ModelToolCall,
} from './model-events.ts';

/**
 * A tool call of a {@link CollectedTurn}. Read it to run a tool without a `Run`.
 *
 * @example
 * ```ts
 * import type { CollectedToolCall } from '@steward/core';
 *
 * const describe = (call: CollectedToolCall) => `${call.name}(${call.argumentsText})`;
 * ```
 */
export interface CollectedToolCall {
  /** The provider's id of the call. */
  readonly id: string;
  readonly name: string;
  /** As the model wrote them; the input of a custom tool. */
  readonly argumentsText: string;
  /** The JSON of `argumentsText`; `undefined` where it does not parse, and for custom tools. */
  readonly arguments: Json | undefined;
}

/**
 * What one turn of a model came to. Returned by {@link collectTurn}.
 *
 * @example
 * ```ts
 * import type { CollectedTurn } from '@steward/core';
 *
 * const succeeded = (turn: CollectedTurn) => turn.error === null && turn.finishReason === 'stop';
 * ```
 */
export interface CollectedTurn {
  /** The whole text; what came of it before an `error`. */
  readonly text: string;
  /** `null` unless the model refused. */
  readonly refusal: string | null;
  /** What the provider showed of the reasoning. */
  readonly reasoning: string;
  readonly toolCalls: readonly CollectedToolCall[];
  readonly finishReason: FinishReason;
  readonly usage: Usage | null;
  /** `null` unless the turn failed. */
  readonly error: ModelError | null;
}

interface Open {
  text: string;
  refusal: string | null;
  reasoning: string;
  toolCalls: CollectedToolCall[];
  finishReason: FinishReason;
  usage: Usage | null;
  error: ModelError | null;
}

/**
 * Reads one turn of a model to its end. Use it where a single answer is wanted and no run: scripts, tests, evaluation.
 * Never throws: whatever went wrong is in `error`, beside what had arrived before.
 *
 * @example
 * ```ts
 * import { collectTurn, openaiModel } from '@steward/core';
 *
 * const model = openaiModel({ model: 'local', api: 'chat', baseURL: 'http://127.0.0.1:8080/v1' });
 * const request = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
 * const turn = await collectTurn(model.stream(request, { signal: AbortSignal.timeout(10_000) }));
 * console.log(turn.error?.message ?? turn.text);
 * ```
 */
export async function collectTurn(stream: AsyncIterable<ModelEvent>): Promise<CollectedTurn> {
  const turn: Open = {
    text: '',
    refusal: null,
    reasoning: '',
    toolCalls: [],
    finishReason: null,
    usage: null,
    error: null,
  };
  try {
    for await (const event of stream) add(turn, event);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    turn.error = { status: null, code: 'model_failed', type: null, message };
  }
  return turn;
}

function add(turn: Open, event: ModelEvent): void {
  switch (event.type) {
    case 'text':
      turn.text += event.text;
      break;
    case 'reasoning':
      turn.reasoning += event.text;
      break;
    case 'refusal':
      turn.refusal = (turn.refusal ?? '') + event.text;
      break;
    case 'reset':
      turn.text = '';
      turn.refusal = null;
      break;
    case 'tool_call':
      turn.toolCalls.push(collectCall(event));
      break;
    case 'finish':
      finish(turn, event);
      break;
    case 'error':
      turn.error = event.error;
      if (event.finish !== undefined) finish(turn, event.finish);
  }
}

function finish(turn: Open, { reason, usage }: ModelFinish): void {
  turn.finishReason = reason;
  turn.usage = usage;
}

function collectCall({ id, name, argumentsText, custom }: ModelToolCall): CollectedToolCall {
  return { id, name, argumentsText, arguments: custom ? undefined : parse(argumentsText) };
}

function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}
