import type { Json } from '../internal/json.ts';
import { ChatToolCalls } from './chat-tool-calls.ts';
import { DeltaTemplate } from './delta-template.ts';
import type { FinishReason, ModelEvent, ModelFinish } from './model-events.ts';
import { chatMessage } from './openai-chat-request.ts';
import { failure } from './openai-client.ts';
import { readProviderError } from './openai-error.ts';
import type { TurnReader, TurnSink } from './openai-turn.ts';
import { readUsage } from './openai-usage.ts';
import { ReasoningDetails } from './reasoning-details.ts';
import {
  isDone,
  object,
  objects,
  parseObject,
  text,
  textOrNull,
  type WireObject,
} from './wire-values.ts';

/** What providers of Chat Completions write, and what we call it. Words of their own count as `stop`. */
const reasons: Readonly<Record<string, FinishReason>> = {
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  error: 'error',
};

const progress: ModelEvent = { type: 'progress' };

/** Understands Chat Completions, streamed or whole. Only the first choice counts. */
export class ChatReader implements TurnReader {
  readonly #sink: TurnSink;
  readonly #calls = new ChatToolCalls();
  readonly #texts = new DeltaTemplate('"content":');
  /** Made for the first call. */
  #arguments: DeltaTemplate | undefined;
  readonly #details = new ReasoningDetails();
  #text = '';
  #refusal = '';
  #reasoningContent = '';
  #reason: FinishReason | undefined;
  #responseId: string | null = null;
  #model: string | null = null;
  #usage: unknown;
  #closed = false;

  constructor(sink: TurnSink) {
    this.#sink = sink;
  }

  event(data: string): void {
    if (this.#closed) return;
    const piece = this.#texts.match(data);
    if (piece !== undefined) {
      this.#say(piece);
      return;
    }
    const template = this.#arguments;
    const argument = template?.match(data);
    if (template === undefined || argument === undefined) {
      this.#parse(data);
      return;
    }
    this.#calls.extend(template.counter, argument);
    this.#sink.push(progress);
  }

  whole(body: unknown): void {
    const completion = object(body) ?? {};
    const [choice] = objects(completion['choices']);
    if (choice !== undefined) {
      this.#head(completion);
      this.#choice(choice, object(choice['message']) ?? {});
      this.#finish();
    } else if (completion['error']) {
      this.#fail({ status: null, ...readProviderError(completion['error']) });
    } else {
      this.#fail(failure('model_failed', 'The answer is not a chat completion.'));
    }
  }

  end(cut = 'no finish reason came'): void {
    if (this.#reason !== undefined) this.#finish();
    else this.#fail(failure('stream_cut', `The stream ended in the middle: ${cut}.`));
  }

  #parse(data: string): void {
    const chunk = parseObject(data);
    if (chunk === undefined) {
      if (isDone(data)) this.#finish();
      return;
    }
    this.#head(chunk);
    if (chunk['error']) {
      this.#fail({ status: null, ...readProviderError(chunk['error']) });
      return;
    }
    const choices = objects(chunk['choices']);
    const choice = choices.find(({ index }) => (index ?? 0) === 0);
    if (choice === undefined) {
      this.#sink.push(progress);
      return;
    }
    const delta = object(choice['delta']) ?? {};
    this.#choice(choice, delta);
    if (choices.length === 1) this.#learn(data, delta);
  }

  #learn(data: string, delta: WireObject): void {
    const [call, ...others] = objects(delta['tool_calls']);
    if (call === undefined) {
      const piece = text(delta['content']);
      // Without text it is the head of the answer, which no other event is like.
      if (piece !== '' && hasOnly(delta, ['content', 'role'])) this.#texts.learn(data, piece);
      return;
    }
    const told = object(call['function']) ?? {};
    const isOnlyArguments =
      hasOnly(told, ['arguments']) &&
      hasOnly(call, ['index', 'type', 'function']) &&
      hasOnly(delta, ['tool_calls', 'role']) &&
      others.length === 0;
    if (!isOnlyArguments) return;
    this.#arguments ??= new DeltaTemplate('"arguments":', '"tool_calls":[{"index":');
    this.#arguments.learn(data, text(told['arguments']));
  }

  #head(chunk: WireObject): void {
    this.#responseId ??= textOrNull(chunk['id']);
    this.#model ??= textOrNull(chunk['model']);
    if (chunk['usage']) this.#usage = chunk['usage'];
  }

  #choice(choice: WireObject, said: WireObject): void {
    this.#delta(said);
    const reason = text(choice['finish_reason']);
    if (reason !== '') this.#reason = reasons[reason] ?? 'stop';
  }

  #delta(delta: WireObject): void {
    const content = delta['content'];
    if (typeof content === 'string') this.#say(content);
    else if (content) this.#parts(objects(content));
    this.#think(text(delta['reasoning_content']) || text(delta['reasoning']));
    this.#reasoningContent += text(delta['reasoning_content']);
    if (delta['refusal']) this.#refuse(text(delta['refusal']));
    if (delta['reasoning_details']) this.#details.add(objects(delta['reasoning_details']));
    if (delta['tool_calls'] || delta['function_call']) this.#call(delta);
  }

  #call(delta: WireObject): void {
    const pieces = objects(delta['tool_calls']);
    // A message has no index on its calls, and each is whole.
    const whole = pieces.length > 1 && pieces.every((piece) => piece['index'] === undefined);
    for (const [index, piece] of pieces.entries()) {
      this.#calls.add(whole ? { ...piece, index: `${this.#calls.length}/${index}` } : piece);
    }
    const legacy = object(delta['function_call']);
    if (legacy !== undefined) this.#calls.addLegacy(legacy);
    this.#sink.push(progress);
  }

  /** Content in parts: text, and what Mistral thinks. */
  #parts(parts: readonly WireObject[]): void {
    for (const part of parts) {
      if (part['type'] === 'text') this.#say(text(part['text']));
      if (part['type'] !== 'thinking') continue;
      for (const thought of objects(part['thinking'])) this.#think(text(thought['text']));
    }
  }

  #say(piece: string): void {
    if (piece === '') return;
    this.#text += piece;
    this.#sink.push({ type: 'text', text: piece });
  }

  #think(piece: string): void {
    if (piece !== '') this.#sink.push({ type: 'reasoning', text: piece });
  }

  #refuse(piece: string): void {
    this.#refusal += piece;
    this.#sink.push({ type: 'refusal', text: piece });
  }

  #finish(): void {
    const calls = this.#calls.events();
    for (const call of calls) this.#sink.push(call);
    this.#close({
      type: 'finish',
      reason: this.#reason ?? null,
      responseId: this.#responseId,
      model: this.#model,
      usage: readUsage(this.#usage),
      verbatim: this.#verbatim(),
    });
  }

  /**
   * The message itself, but only where the next request has to repeat what Steward's own message has no place for:
   * OpenRouter's `reasoning_details`, Google's `extra_content` of calls, and `reasoning_content` beside tool calls,
   * which DeepSeek and Moonshot ask for within a tool loop (and DeepSeek refuses elsewhere).
   */
  #verbatim(): ModelFinish['verbatim'] {
    const details = this.#details.items;
    const thought = this.#calls.length > 0 ? this.#reasoningContent : '';
    if (details.length === 0 && thought === '' && !this.#calls.hasExtras) return null;
    const message: Record<string, Json | undefined> = chatMessage({
      role: 'assistant',
      content: this.#text,
      toolCalls: this.#calls.events(),
      ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
    });
    if (thought !== '') message['reasoning_content'] = thought;
    if (details.length > 0) message['reasoning_details'] = details;
    if (this.#calls.hasExtras) {
      const calls = message['tool_calls'] as readonly Record<string, Json>[];
      message['tool_calls'] = calls.map((call, index) => {
        const extra = this.#calls.extraOf(index);
        return extra === null ? call : { ...call, extra_content: extra };
      });
    }
    return { api: 'chat', items: [message] };
  }

  #fail(error: Extract<ModelEvent, { type: 'error' }>['error']): void {
    this.#close({ type: 'error', error });
  }

  #close(event: ModelEvent): void {
    this.#closed = true;
    this.#sink.push(event);
    this.#sink.close();
  }
}

/** Whether an object says something under these names alone, so that an equal one may be taken for just that. */
function hasOnly(said: WireObject, names: readonly string[]): boolean {
  return Object.entries(said).every(
    ([name, value]) =>
      !value || names.includes(name) || (Array.isArray(value) && value.length === 0),
  );
}
