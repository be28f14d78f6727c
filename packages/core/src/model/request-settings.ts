import type { JsonObject } from '../internal/json.ts';

/** What of the options shapes the requests. */
export interface RequestSettings {
  readonly model: string;
  /** Parameters of the provider, put into each request. */
  readonly request: JsonObject;
  /** `undefined`: structured output is strict, tools are not. */
  readonly strict: boolean | undefined;
  /** Whether answers are made in the background (Responses API). */
  readonly background: boolean;
  /** What Chat Completions calls the host's own messages. */
  readonly systemRole: 'system' | 'developer';
}
