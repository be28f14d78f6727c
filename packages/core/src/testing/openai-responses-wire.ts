import type { Usage } from '../events/run-event.ts';
import {
  argumentParts,
  type Frame,
  type OpenAiWire,
  type WireContext,
  type WireEnding,
  type WireError,
} from './openai-wire.ts';
import type { TurnPiece } from './turn-content.ts';

type Call = Extract<TurnPiece, { type: 'tool_call' }>['call'];
type Spoken = Exclude<TurnPiece, { type: 'tool_call' }>['type'];
type Emit = (type: string, members: object) => Frame;

/** A part of an item that is being spoken. */
interface OpenPart {
  readonly kind: Spoken;
  readonly itemId: string;
  readonly index: number;
  text: string;
}

/** Responses: `response.*` events and `response` bodies. */
export function responsesWire(context: WireContext): OpenAiWire {
  const output: object[] = [];
  let sequence = 0;
  let open: OpenPart | undefined;
  const emit: Emit = (type, members) => ({
    event: type,
    data: JSON.stringify({ type, sequence_number: sequence++, ...members }),
  });

  /** Closes the open part, if there is one, so that another may begin. */
  function closePart(): Frame[] {
    if (!open) return [];
    const { frames, item } = partEnd(open, emit);
    output.push(item);
    open = undefined;
    return frames;
  }

  function speak(kind: Spoken, text: string): Frame[] {
    const frames = open?.kind === kind ? [] : closePart();
    if (!open) {
      const index = output.length;
      const prefix = kind === 'reasoning' ? 'rs' : 'msg';
      open = { kind, itemId: `${prefix}_${context.n}_${index}`, index, text: '' };
      frames.push(...partStart(open, emit));
    }
    open.text += text;
    frames.push(emit(partNames[kind].delta, { ...place(open), delta: text, ...extra(kind) }));
    return frames;
  }

  function callFrames(call: Call): Frame[] {
    const frames = closePart();
    const made = callEvents(call, { n: context.n, index: output.length }, emit);
    output.push(made.item);
    return [...frames, ...made.frames];
  }

  const state = (status: string, ending?: Partial<WireEnding> & { error?: WireError }) =>
    responseObject(context, { status, output: status === 'in_progress' ? [] : output, ...ending });

  return {
    open: () => [
      emit('response.created', { response: state('in_progress') }),
      emit('response.in_progress', { response: state('in_progress') }),
    ],
    piece: (piece) =>
      piece.type === 'tool_call' ? callFrames(piece.call) : speak(piece.type, piece.text),
    close(ending) {
      const frames = closePart();
      const status = statusOf(ending);
      return [...frames, emit(`response.${status}`, { response: state(status, ending) })];
    },
    fail: (error) => [
      emit('error', { error: { ...error, param: null } }),
      emit('response.failed', { response: state('failed', { error }) }),
    ],
    body(ending) {
      closePart();
      return state(statusOf(ending), ending);
    },
  };
}

const partNames = {
  text: {
    delta: 'response.output_text.delta',
    done: 'response.output_text.done',
    added: 'response.content_part.added',
    ended: 'response.content_part.done',
  },
  refusal: {
    delta: 'response.refusal.delta',
    done: 'response.refusal.done',
    added: 'response.content_part.added',
    ended: 'response.content_part.done',
  },
  reasoning: {
    delta: 'response.reasoning_summary_text.delta',
    done: 'response.reasoning_summary_text.done',
    added: 'response.reasoning_summary_part.added',
    ended: 'response.reasoning_summary_part.done',
  },
} as const;

function place({ kind, itemId, index }: OpenPart): object {
  const part = kind === 'reasoning' ? { summary_index: 0 } : { content_index: 0 };
  return { item_id: itemId, output_index: index, ...part };
}

function extra(kind: Spoken): object {
  return kind === 'text' ? { logprobs: [] } : {};
}

function partContent(kind: Spoken, text: string): object {
  if (kind === 'text') return { type: 'output_text', annotations: [], logprobs: [], text };
  return kind === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'summary_text', text };
}

function spokenItem(part: OpenPart, parts: readonly object[], status: string): object {
  if (part.kind === 'reasoning') return { id: part.itemId, type: 'reasoning', summary: parts };
  return { id: part.itemId, type: 'message', status, content: parts, role: 'assistant' };
}

function partStart(part: OpenPart, emit: Emit): Frame[] {
  const item = spokenItem(part, [], 'in_progress');
  return [
    emit('response.output_item.added', { output_index: part.index, item }),
    emit(partNames[part.kind].added, { ...place(part), part: partContent(part.kind, '') }),
  ];
}

function partEnd(part: OpenPart, emit: Emit): { frames: Frame[]; item: object } {
  const content = partContent(part.kind, part.text);
  const item = spokenItem(part, [content], 'completed');
  const whole = part.kind === 'refusal' ? { refusal: part.text } : { text: part.text };
  const frames = [
    emit(partNames[part.kind].done, { ...place(part), ...whole, ...extra(part.kind) }),
    emit(partNames[part.kind].ended, { ...place(part), part: content }),
    emit('response.output_item.done', { output_index: part.index, item }),
  ];
  return { frames, item };
}

function callEvents(
  call: Call,
  { n, index }: { readonly n: number; readonly index: number },
  emit: Emit,
): { frames: Frame[]; item: object } {
  const field = call.custom ? 'input' : 'arguments';
  const event = call.custom
    ? 'response.custom_tool_call_input'
    : 'response.function_call_arguments';
  const id = `${call.custom ? 'ctc' : 'fc'}_${n}_${index}`;
  const item = (status: string, text: string) => ({
    id,
    type: call.custom ? 'custom_tool_call' : 'function_call',
    status,
    [field]: text,
    call_id: call.id,
    name: call.name,
  });
  const at = { item_id: id, output_index: index };
  const whole = item('completed', call.argumentsText);
  const frames = [
    emit('response.output_item.added', { output_index: index, item: item('in_progress', '') }),
    ...argumentParts(call.argumentsText).map((delta) => emit(`${event}.delta`, { ...at, delta })),
    emit(`${event}.done`, { ...at, [field]: call.argumentsText }),
    emit('response.output_item.done', { output_index: index, item: whole }),
  ];
  return { frames, item: whole };
}

const incompleteReasons: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

function statusOf({ finishReason }: WireEnding): string {
  if (finishReason === 'error') return 'failed';
  return incompleteReasons[finishReason ?? ''] ? 'incomplete' : 'completed';
}

function responseObject(
  { n, model, body }: WireContext,
  ending: Partial<WireEnding> & {
    readonly status: string;
    readonly output: readonly object[];
    readonly error?: WireError;
  },
): object {
  const reason = incompleteReasons[ending.finishReason ?? ''];
  return {
    id: `resp_${n}`,
    object: 'response',
    created_at: 1_893_456_000,
    status: ending.status,
    background: body['background'] === true,
    error: ending.error ? { code: ending.error.code, message: ending.error.message } : null,
    incomplete_details: reason ? { reason } : null,
    max_tool_calls: null,
    model,
    output: [...ending.output],
    prompt_cache_key: null,
    safety_identifier: null,
    service_tier: 'default',
    temperature: 1,
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: ending.usage ? responsesUsage(ending.usage) : null,
    user: null,
    ...echoed(body),
  };
}

/** Settings that a response repeats from its request. */
function echoed(body: WireContext['body']): object {
  const defaults = {
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: true,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
  };
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, body[name] ?? value]),
  );
}

function responsesUsage(usage: Usage): object {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.totalTokens,
  };
}
