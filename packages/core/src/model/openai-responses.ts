import type { Json } from '../internal/json.ts';
import { DeltaTemplate } from './delta-template.ts';
import type {
  FinishReason,
  ModelError,
  ModelEvent,
  ModelFinish,
  ModelToolCall,
} from './model-events.ts';
import { failure } from './openai-client.ts';
import { readProviderError } from './openai-error.ts';
import type { TurnReader, TurnSink } from './openai-turn.ts';
import { readUsage } from './openai-usage.ts';
import {
  argumentsText,
  isDone,
  object,
  objects,
  parseObject,
  text,
  textOrNull,
  type WireObject,
} from './wire-values.ts';

const progress: ModelEvent = { type: 'progress' };

/** Events that are read; the others say again what these say, or what a hosted tool is doing. */
const read = new Set([
  'response.created',
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_summary_text.delta',
  'response.reasoning_text.delta',
  'response.output_item.done',
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

/** Whether an event need not be parsed, where its name alone tells so. */
function carriesNothing(name: string): boolean {
  return name.startsWith('response.') && !read.has(name);
}

/** Understands the Responses API, streamed or whole. What the provider calls its whole output is what counts. */
export class ResponsesReader implements TurnReader {
  readonly #sink: TurnSink;
  /** Finished items by `output_index`, for streams whose end does not repeat them. */
  readonly #items = new Map<number, WireObject>();
  readonly #template = new DeltaTemplate('"delta":');
  #text = '';
  #refusal = '';
  #reasoned = false;
  #response: WireObject = {};
  #error: ModelError | undefined;
  #closed = false;

  constructor(sink: TurnSink) {
    this.#sink = sink;
  }

  event(data: string, name: string): void {
    if (this.#closed) return;
    const piece = this.#template.match(data);
    if (piece === undefined) this.#parse(data, name);
    else this.#say(piece);
  }

  #parse(data: string, name: string): void {
    if (carriesNothing(name)) {
      this.#sink.push(progress);
      return;
    }
    const event = parseObject(data);
    if (event === undefined) {
      if (isDone(data)) this.end('it was ended without a result');
      return;
    }
    const type = text(event['type']) || name;
    if (type !== 'response.output_text.delta') {
      this.#other(type, event);
      return;
    }
    const delta = text(event['delta']);
    this.#say(delta);
    this.#template.learn(data, delta);
  }

  whole(body: unknown): void {
    const response = object(body) ?? {};
    if (response['error'] && !response['status']) {
      this.#fail({ status: null, ...readProviderError(response['error']) });
    } else if ('output' in response || 'status' in response) {
      this.#finish(response);
    } else {
      this.#fail(failure('model_failed', 'The answer is not a response.'));
    }
  }

  end(cut = 'no result came'): void {
    this.#fail(this.#error ?? failure('stream_cut', `The stream ended in the middle: ${cut}.`));
  }

  #other(type: string, event: WireObject): void {
    switch (type) {
      case 'response.refusal.delta':
        this.#refuse(text(event['delta']));
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.#think(text(event['delta']));
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#finish(object(event['response']) ?? {}, type.slice('response.'.length));
        break;
      default:
        this.#note(type, event);
        this.#sink.push(progress);
    }
  }

  #note(type: string, event: WireObject): void {
    if (type === 'response.output_item.done') this.#keep(event);
    if (type === 'response.created') this.#begin(object(event['response']) ?? {});
    // `response.failed` may follow with the usage; the end of the stream settles it otherwise.
    if (type === 'error')
      this.#error = { status: null, ...readProviderError(event['error'] ?? event) };
  }

  #begin(response: WireObject): void {
    this.#response = response;
    const responseId = textOrNull(response['id']);
    if (response['background'] !== true || responseId === null) return;
    this.#sink.push({ type: 'resumable', responseId });
  }

  #keep(event: WireObject): void {
    const index = event['output_index'];
    const item = object(event['item']);
    if (item !== undefined)
      this.#items.set(typeof index === 'number' ? index : this.#items.size, item);
  }

  #say(piece: string): void {
    if (piece === '') return;
    this.#text += piece;
    this.#sink.push({ type: 'text', text: piece });
  }

  #refuse(piece: string): void {
    if (piece === '') return;
    this.#refusal += piece;
    this.#sink.push({ type: 'refusal', text: piece });
  }

  #think(piece: string): void {
    if (piece === '') return;
    this.#reasoned = true;
    this.#sink.push({ type: 'reasoning', text: piece });
  }

  #finish(response: WireObject, ended?: string): void {
    const status = text(response['status']) || ended;
    const output = this.#output(response);
    if (output.length > 0) this.#settle(output);
    const calls = output.flatMap(toolCall);
    for (const call of calls) this.#sink.push(call);
    const finish: ModelFinish = {
      type: 'finish',
      reason: finishReason(status, response, calls.length > 0),
      responseId: textOrNull(response['id']) ?? textOrNull(this.#response['id']),
      model: textOrNull(response['model']) ?? textOrNull(this.#response['model']),
      usage: readUsage(response['usage']),
      verbatim: output.length === 0 ? null : { api: 'responses', items: output as readonly Json[] },
    };
    if (status !== 'failed') {
      this.#close(finish);
      return;
    }
    const told = readProviderError(response['error'] ?? 'The response failed.');
    this.#close({ type: 'error', error: this.#error ?? { status: null, ...told }, finish });
  }

  #output(response: WireObject): readonly WireObject[] {
    const output = objects(response['output']);
    if (output.length > 0) return output;
    return [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
  }

  /** Makes the pieces agree with the whole: sends what was not streamed, or everything again where it differs. */
  #settle(output: readonly WireObject[]): void {
    const parts = output.flatMap((item) =>
      item['type'] === 'message' ? objects(item['content']) : [],
    );
    const said = join(parts, 'output_text', 'text');
    const refused = join(parts, 'refusal', 'refusal');
    if (!this.#reasoned) this.#think(summaries(output));
    if (!said.startsWith(this.#text) || !refused.startsWith(this.#refusal)) {
      this.#sink.push({ type: 'reset' });
      this.#text = '';
      this.#refusal = '';
    }
    this.#say(said.slice(this.#text.length));
    this.#refuse(refused.slice(this.#refusal.length));
  }

  #fail(error: ModelError): void {
    this.#close({ type: 'error', error });
  }

  #close(event: ModelEvent): void {
    this.#closed = true;
    this.#sink.push(event);
    this.#sink.close();
  }
}

function finishReason(
  status: string | undefined,
  response: WireObject,
  called: boolean,
): FinishReason {
  if (status === 'completed') return called ? 'tool_calls' : 'stop';
  if (status === 'failed') return 'error';
  if (status !== 'incomplete') return null;
  const filtered = object(response['incomplete_details'])?.['reason'] === 'content_filter';
  return filtered ? 'content_filter' : 'length';
}

function toolCall(item: WireObject): readonly ModelToolCall[] {
  const custom = item['type'] === 'custom_tool_call';
  if (!custom && item['type'] !== 'function_call') return [];
  return [
    {
      type: 'tool_call',
      id: text(item['call_id']) || text(item['id']),
      name: text(item['name']),
      argumentsText: argumentsText(custom ? item['input'] : item['arguments']),
      custom,
    },
  ];
}

function join(parts: readonly WireObject[], type: string, field: string): string {
  return parts.map((part) => (part['type'] === type ? text(part[field]) : '')).join('');
}

function summaries(output: readonly WireObject[]): string {
  const items = output.filter((item) => item['type'] === 'reasoning');
  return items
    .flatMap((item) => objects(item['summary']).map((part) => text(part['text'])))
    .join('');
}
