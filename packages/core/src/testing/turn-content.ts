import type { Usage } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type { FinishReason } from '../model/model-events.ts';

/** A tool call that a fake model makes. */
export interface FakeToolCall {
  /** The tool's name as the model knows it. */
  readonly name: string;
  /** The arguments as JSON; `{}` unless given. */
  readonly args?: Json;
  /** The arguments as text instead, for what does not parse, or for the input of a custom tool. */
  readonly argumentsText?: string;
  /** The provider's id of the call; made up unless given. */
  readonly id?: string;
  /** True for a custom (free text) tool. */
  readonly custom?: boolean;
}

/** What a fake model says in one turn, in this order: reasoning, text, refusal, tool calls, finish. */
export interface TurnContent {
  /** A string is sent word by word, an array piece by piece. */
  readonly reasoning?: string | readonly string[];
  /** A string is sent word by word, an array piece by piece. */
  readonly text?: string | readonly string[];
  readonly refusal?: string | readonly string[];
  readonly toolCalls?: readonly FakeToolCall[];
  /** `tool_calls` if there are tool calls, else `stop`, unless given. */
  readonly finishReason?: FinishReason;
  /** 10 tokens in and one per piece out, unless given; `null` for a provider that does not count. */
  readonly usage?: Partial<Usage> | null;
}

/** A piece of a turn, as it is sent. */
export type TurnPiece =
  | { readonly type: 'reasoning' | 'text' | 'refusal'; readonly text: string }
  | { readonly type: 'tool_call'; readonly call: Required<Omit<FakeToolCall, 'args'>> };

/** A turn cut into the pieces in which it is sent; tool calls get ids that start with `idPrefix`. */
export function piecesOf(turn: TurnContent, idPrefix: string): TurnPiece[] {
  const spoken = (['reasoning', 'text', 'refusal'] as const).flatMap((type) =>
    words(turn[type]).map((text) => ({ type, text })),
  );
  const calls = (turn.toolCalls ?? []).map((call, index) => ({
    type: 'tool_call' as const,
    call: {
      name: call.name,
      argumentsText: call.argumentsText ?? JSON.stringify(call.args ?? {}),
      id: call.id ?? `${idPrefix}_${index}`,
      custom: call.custom ?? false,
    },
  }));
  return [...spoken, ...calls];
}

/** The finish reason that is told unless one is given. */
export function finishReasonOf(turn: TurnContent): FinishReason {
  if (turn.finishReason !== undefined) return turn.finishReason;
  return turn.toolCalls?.length ? 'tool_calls' : 'stop';
}

/** The usage that is told for a turn of so many pieces. */
export function usageOf(turn: TurnContent, pieces: number): Usage | null {
  if (turn.usage === null) return null;
  const { inputTokens = 10, outputTokens = pieces, ...rest } = turn.usage ?? {};
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedTokens: 0,
    reasoningTokens: 0,
    ...rest,
  };
}

/** Empty pieces are left out: models do not send them as text. */
function words(text: string | readonly string[] | undefined): readonly string[] {
  const pieces =
    typeof text === 'string' ? (text.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? []) : (text ?? []);
  return pieces.filter((piece) => piece !== '');
}
