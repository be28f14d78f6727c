import type { Usage } from '../events/run-event.ts';
import { argumentParts, type Frame, type OpenAiWire, type WireContext } from './openai-wire.ts';
import type { TurnPiece } from './turn-content.ts';

type Call = Extract<TurnPiece, { type: 'tool_call' }>['call'];

const deltaNames = { text: 'content', reasoning: 'reasoning_content', refusal: 'refusal' } as const;

/** Chat Completions: `chat.completion.chunk` events and `chat.completion` bodies. */
export function chatWire({ n, model, body }: WireContext): OpenAiWire {
  const wantsUsage = (body['stream_options'] as { include_usage?: boolean } | undefined)
    ?.include_usage;
  const said = { text: '', reasoning: '', refusal: '' };
  const calls: Call[] = [];
  const base = { id: `chatcmpl-${n}`, created: 1_893_456_000, model };

  const frame = (choices: readonly object[], usage: object | null): Frame => ({
    data: JSON.stringify({
      ...base,
      object: 'chat.completion.chunk',
      service_tier: 'default',
      system_fingerprint: 'fp_loopback',
      choices,
      ...(wantsUsage ? { usage } : {}),
    }),
  });
  const delta = (part: object, finishReason: string | null = null) =>
    frame([{ index: 0, delta: part, logprobs: null, finish_reason: finishReason }], null);

  return {
    open: (first) => [
      delta({ role: 'assistant', content: first?.type === 'text' ? '' : null, refusal: null }),
    ],
    piece(piece) {
      if (piece.type !== 'tool_call') {
        said[piece.type] += piece.text;
        return [delta({ [deltaNames[piece.type]]: piece.text })];
      }
      const index = calls.push(piece.call) - 1;
      return callDeltas(piece.call, index).map((part) => delta({ tool_calls: [part] }));
    },
    close: ({ finishReason, usage }) => [
      delta({}, finishReason),
      ...(wantsUsage && usage ? [frame([], chatUsage(usage))] : []),
      { data: '[DONE]' },
    ],
    fail: (error) => [{ data: JSON.stringify({ error: { ...error, param: null } }) }],
    body: ({ finishReason, usage }) => ({
      ...base,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: message(said, calls),
          logprobs: null,
          finish_reason: finishReason,
        },
      ],
      ...(usage ? { usage: chatUsage(usage) } : {}),
      service_tier: 'default',
      system_fingerprint: 'fp_loopback',
    }),
  };
}

function callDeltas({ id, name, argumentsText, custom }: Call, index: number): readonly object[] {
  const kind = custom ? 'custom' : 'function';
  const field = custom ? 'input' : 'arguments';
  return [
    { index, id, type: kind, [kind]: { name, [field]: '' } },
    ...argumentParts(argumentsText).map((part) => ({ index, [kind]: { [field]: part } })),
  ];
}

function message(
  said: { readonly text: string; readonly reasoning: string; readonly refusal: string },
  calls: readonly Call[],
): object {
  return {
    role: 'assistant',
    content: said.text || null,
    refusal: said.refusal || null,
    annotations: [],
    ...(said.reasoning ? { reasoning_content: said.reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map(wholeCall) } : {}),
  };
}

function wholeCall({ id, name, argumentsText, custom }: Call): object {
  if (custom) return { id, type: 'custom', custom: { name, input: argumentsText } };
  return { id, type: 'function', function: { name, arguments: argumentsText } };
}

function chatUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
