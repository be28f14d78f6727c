import type { Json } from '../internal/json.ts';
import type { ModelToolCall } from './model-events.ts';
import { argumentsText, object, text, textOrNull, type WireObject } from './wire-values.ts';

/** A call that is being written. */
interface OpenCall {
  readonly index: unknown;
  id: string | null;
  name: string;
  argumentsText: string;
  custom: boolean;
  /** What one provider needs back with the call (Google's thought signatures). */
  extra: unknown;
}

/** Puts the tool calls of Chat Completions together from pieces with or without index and id. */
export class ChatToolCalls {
  readonly #calls: OpenCall[] = [];

  get length(): number {
    return this.#calls.length;
  }

  /** Takes one element of a delta's (or message's) `tool_calls`. */
  add(piece: WireObject): void {
    const custom = object(piece['custom']);
    const told = object(piece['function']) ?? custom ?? {};
    const call = this.#find(piece, textOrNull(told['name'])) ?? this.#open(piece['index'] ?? null);
    call.id ??= textOrNull(piece['id']);
    call.custom ||= custom !== undefined;
    call.extra ??= piece['extra_content'];
    if (call.name !== told['name']) call.name += text(told['name']);
    call.argumentsText += argumentsText(told['arguments'] ?? told['input']);
  }

  /** Takes more arguments of the call at an index: an element of `tool_calls` that has nothing else. */
  extend(index: number, argumentsText: string): void {
    const call = this.#calls.findLast((open) => open.index === index) ?? this.#open(index);
    call.argumentsText += argumentsText;
  }

  /** Takes a `function_call`, the form before tools. */
  addLegacy(piece: WireObject): void {
    this.add({ index: 'function_call', function: piece });
  }

  /** The calls as events, once they are complete. */
  events(): readonly ModelToolCall[] {
    return this.#calls.map((call, index) => ({
      type: 'tool_call',
      id: call.id ?? `call_${index}`,
      name: call.name,
      argumentsText: call.argumentsText,
      custom: call.custom,
    }));
  }

  /** Whether a call carries what has to go back and has no place in an event. */
  get hasExtras(): boolean {
    return this.#calls.some((call) => call.extra !== undefined);
  }

  /** The extra of the call at an index. */
  extraOf(index: number): Json {
    return (this.#calls[index]?.extra ?? null) as Json;
  }

  /** The open call that a piece continues. Some providers use an index again, or none at all, for the next call. */
  #find(piece: WireObject, name: string | null): OpenCall | undefined {
    const index = piece['index'] ?? null;
    const call = this.#calls.findLast((open) => open.index === index);
    if (call === undefined || name === null) return call;
    const id = textOrNull(piece['id']);
    if (id !== null && call.id !== null && id !== call.id) return undefined;
    const isNext = index === null && id === null && isJson(call.argumentsText);
    return isNext ? undefined : call;
  }

  #open(index: unknown): OpenCall {
    const call = { index, id: null, name: '', argumentsText: '', custom: false, extra: undefined };
    this.#calls.push(call);
    return call;
  }
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
