import type { Message } from '../events/message.ts';
import type { JsonObject } from '../internal/json.ts';
import type { ModelEvent } from './model-events.ts';

/** A tool as the model is told of it. */
export interface ToolDefinition {
  /** Matches `^[a-zA-Z0-9_-]{1,64}$`. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
}

/** What the model is asked. Plain JSON; a client does not change it. */
export interface ModelRequest {
  readonly instructions?: string;
  readonly messages: readonly Message[];
  /** The same array object for the same tools, turn after turn: clients serialise it once. */
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice?: 'auto' | 'required' | 'none' | { readonly name: string };
  /** Asks for an answer in this JSON Schema. */
  readonly output?: { readonly name: string; readonly schema: JsonObject };
  readonly maxOutputTokens?: number;
  /** Parameters of the provider, put into the request as they are; they win over what Steward sets. */
  readonly extra?: JsonObject;
}

/** How a request is made. */
export interface ModelCallOptions {
  /** Aborts the request; the stream then ends, with an `error` event of code `aborted` or by throwing. */
  readonly signal: AbortSignal;
}

/**
 * A model behind an API. One method: one turn. Implement it to use a provider that speaks neither of OpenAI's APIs.
 *
 * @example
 * ```ts
 * import type { ModelClient } from '@steward/core';
 *
 * const echo: ModelClient = {
 *   async *stream(request) {
 *     yield { type: 'start', requestId: null };
 *     yield { type: 'text', text: `You sent ${request.messages.length} messages.` };
 *     yield { type: 'finish', reason: 'stop', responseId: null, model: 'echo', usage: null, verbatim: null };
 *   },
 * };
 * ```
 */
export interface ModelClient {
  /** Asks for one turn. Never retries after its first event; reports failures as an `error` event. */
  stream(request: ModelRequest, options: ModelCallOptions): AsyncIterable<ModelEvent>;
}
