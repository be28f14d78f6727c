import { StewardError } from '../errors/steward-error.ts';
import { isRecord, type JsonObject } from '../internal/json.ts';
import type { BackgroundModel } from './background-model.ts';
import { EventQueue, type EventSource } from './event-queue.ts';
import type { ModelClient } from './model-client.ts';
import type { OpenAIProvider, ProviderSettings } from './openai-provider.ts';

/**
 * How {@link openaiModel} reaches a model. Only `model` is required.
 *
 * @example
 * ```ts
 * import type { OpenAIModelOptions } from '@steward/core';
 *
 * const local: OpenAIModelOptions = { model: 'qwen3', api: 'chat', baseURL: 'http://127.0.0.1:11434/v1' };
 * ```
 */
export interface OpenAIModelOptions {
  /** The model's name, as the provider knows it. */
  readonly model: string;
  /** The Responses API (default), or Chat Completions for servers that imitate OpenAI's. */
  readonly api?: 'responses' | 'chat' | undefined;
  /** `OPENAI_BASE_URL` or OpenAI's own unless given. */
  readonly baseURL?: string | undefined;
  /** `OPENAI_API_KEY` unless given; a function is asked before each request, for keys that rotate. */
  readonly apiKey?: string | (() => Promise<string>) | undefined;
  /** `OPENAI_ORG_ID` unless given. */
  readonly organization?: string | undefined;
  /** `OPENAI_PROJECT_ID` unless given. */
  readonly project?: string | undefined;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Used instead of the built-in node:http (or, behind a proxy, the global `fetch`). */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds to wait for a connection; 10,000 unless given. Not used with an own `fetch`. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Parameters of the provider, put into each request as they are: `{ reasoning: { effort: 'low' }, store: false }`.
   * `tools` are put before Steward's (`[{ type: 'web_search' }]`); `undefined` takes away what Steward would set.
   */
  readonly request?: JsonObject | undefined;
  /**
   * Lets the Responses API make its answers in the background (`background: true`), where they survive the loss of the
   * connection and of this process: another owner of the run reads on, and nothing is asked or paid twice. It costs some
   * time to the first token, and the provider keeps the answers (`store`).
   */
  readonly background?: boolean | undefined;
  /** Whether the provider holds tools and structured output to their schemas. Unless given: output yes, tools no. */
  readonly strict?: boolean | undefined;
  /** The role of instructions and system messages in Chat Completions; `system` unless given. */
  readonly systemRole?: 'system' | 'developer' | undefined;
}

/**
 * A model behind OpenAI's API or one that imitates it. Give it to an `Assistant` as `model`, or use it alone with
 * `collectTurn`. Nothing is loaded or sent before the first event is asked for, and nothing is tried twice: retries
 * are the run's. Failures of a request are `error` events.
 *
 * In the Responses API everything the model said goes back unchanged in the next turn; with `previous_response_id` in
 * a request's `extra` only what follows the last answer is sent.
 *
 * @throws `TypeError` naming the option that is wrong.
 * @throws {@link StewardError} `model_not_configured` without a key, unless a base URL is set.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 *
 * @example
 * ```ts
 * import { collectTurn, openaiModel } from '@steward/core';
 *
 * const model = openaiModel({ model: 'gpt-5', request: { reasoning: { effort: 'low' } } });
 * const request = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
 * const { text } = await collectTurn(model.stream(request, { signal: AbortSignal.timeout(60_000) }));
 * ```
 */
export function openaiModel(
  options: OpenAIModelOptions & { readonly background: true },
): BackgroundModel;
export function openaiModel(options: OpenAIModelOptions): ModelClient;
export function openaiModel(options: OpenAIModelOptions): ModelClient | BackgroundModel {
  check(options);
  const settings = settingsOf(options);
  let loading: Promise<OpenAIProvider> | undefined;
  const provider = () => {
    loading ??= load(settings);
    return loading;
  };
  const turn = (open: OpenTurn) => new LoadingTurn(provider, open).queue;
  const client: ModelClient = {
    stream: (request, { signal }) => turn((of, queue) => of.open(queue, request, signal)),
  };
  if (!options.background) return client;
  return {
    ...client,
    resume: (responseId, { signal }) => turn((of, queue) => of.resume(queue, responseId, signal)),
    cancel: async (responseId) => {
      // An answer that cannot be ended ends by itself.
      await provider()
        .then((of) => of.cancel(responseId))
        .catch(() => undefined);
    },
  };
}

type OpenTurn = (provider: OpenAIProvider, queue: EventQueue) => EventSource;

async function load(settings: ProviderSettings): Promise<OpenAIProvider> {
  const { openaiProvider } = await import('./openai-provider.ts');
  return openaiProvider(settings);
}

/** A turn whose provider may still have to be loaded. It starts when the first event is asked for. */
class LoadingTurn implements EventSource {
  readonly queue = new EventQueue(this);
  readonly #provider: () => Promise<OpenAIProvider>;
  readonly #openTurn: OpenTurn;
  #turn: EventSource | undefined;
  #cancelled = false;

  constructor(provider: () => Promise<OpenAIProvider>, openTurn: OpenTurn) {
    this.#provider = provider;
    this.#openTurn = openTurn;
  }

  start(): void {
    this.#open().catch((error: unknown) => {
      const message = `The client of the provider cannot be loaded: ${String(error)}`;
      const failure = { status: null, code: 'model_failed', type: null, message };
      this.queue.push({ type: 'error', error: failure });
      this.queue.end();
    });
  }

  resume(): void {
    this.#turn?.resume();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#turn?.cancel();
  }

  async #open(): Promise<void> {
    const provider = await this.#provider();
    if (this.#cancelled) return;
    this.#turn = this.#openTurn(provider, this.queue);
    this.#turn.start();
  }
}

function settingsOf(options: OpenAIModelOptions): ProviderSettings {
  const { api = 'responses', model, request = {}, strict, systemRole = 'system' } = options;
  const { background = false } = options;
  const { baseURL, organization, project, headers, fetch, connectTimeoutMs = 10_000 } = options;
  return {
    api,
    model,
    request,
    strict,
    systemRole,
    background,
    client: {
      apiKey: keyOf(options),
      baseURL,
      organization,
      project,
      headers,
      fetch,
      connectTimeoutMs,
    },
  };
}

function keyOf({
  apiKey,
  baseURL,
}: OpenAIModelOptions): string | (() => Promise<string>) | undefined {
  const key = apiKey ?? (process.env['OPENAI_API_KEY']?.trim() || undefined);
  if (key !== undefined || baseURL || process.env['OPENAI_BASE_URL']) return key;
  throw new StewardError(
    'model_not_configured',
    'There is no API key: set `OPENAI_API_KEY` or `apiKey`, or `baseURL` for a server that needs none.',
    { field: 'apiKey' },
  );
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isFunction = (value: unknown) => typeof value === 'function';
const isFlag = (value: unknown) => typeof value === 'boolean';

/** What each option has to be, and whether it is. */
const rules: Readonly<
  Record<keyof OpenAIModelOptions, readonly [string, (value: unknown) => boolean]>
> = {
  model: ['a non-empty string', isText],
  api: ["'responses' or 'chat'", (value) => value === 'responses' || value === 'chat'],
  baseURL: [
    'an http(s) URL',
    (value) => typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value),
  ],
  apiKey: ['a non-empty string or a function', (value) => isText(value) || isFunction(value)],
  organization: ['a non-empty string', isText],
  project: ['a non-empty string', isText],
  headers: [
    'an object of strings',
    (value) => isRecord(value) && Object.values(value).every(isText),
  ],
  fetch: ['a function', isFunction],
  connectTimeoutMs: ['a positive number', (value) => typeof value === 'number' && value > 0],
  request: ['a plain object', isRecord],
  background: ['a boolean', isFlag],
  strict: ['a boolean', isFlag],
  systemRole: ["'system' or 'developer'", (value) => value === 'system' || value === 'developer'],
};

function check(options: OpenAIModelOptions): void {
  if (!isRecord(options)) throw new TypeError('openaiModel: options must be an object');
  if (options.model === undefined) throw new TypeError('openaiModel: options.model is missing');
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name))
      throw new TypeError(`openaiModel: options.${name} is not an option`);
    const [wanted, holds] = rules[name as keyof OpenAIModelOptions];
    if (value !== undefined && !holds(value)) {
      throw new TypeError(`openaiModel: options.${name} must be ${wanted}`);
    }
  }
  checkBackground(options);
}

function checkBackground({ background, api, request }: OpenAIModelOptions): void {
  if (!background || (api !== 'chat' && request?.['store'] !== false)) return;
  throw new TypeError(
    'openaiModel: options.background needs the Responses API, and answers that the provider keeps (store)',
  );
}
