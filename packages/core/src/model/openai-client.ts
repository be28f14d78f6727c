import type { ClientOptions } from 'openai';
import type { ModelError } from './model-events.ts';
import { createNodeFetch, usesProxy } from './node-fetch.ts';
import { readErrorBody, retryAfterMs } from './openai-error.ts';

/** What is needed to reach a provider. */
export interface OpenAIClientOptions {
  readonly apiKey: string | (() => Promise<string>) | undefined;
  readonly baseURL: string | undefined;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly connectTimeoutMs: number;
}

/** The `openai` package as Steward uses it: configuration, authentication and errors; the stream is read elsewhere. */
export interface OpenAIConnection {
  /** Posts a body that is already JSON. Resolves once the provider accepted it; rejects with what `explain` reads. */
  post(path: string, body: string, signal: AbortSignal): Promise<Response>;
}

/** An error of the `openai` package together with the body that the provider sent. */
interface StatusError {
  readonly status: number;
  readonly message: string;
  readonly headers: Headers | undefined;
  readonly providerBody: unknown;
}

/** A failed request, told apart where the classes of the `openai` package are at hand. */
export class RequestFailure extends Error {
  readonly error: ModelError;

  constructor(error: ModelError, cause: unknown) {
    super(error.message, { cause });
    this.error = error;
  }
}

/** Prepares to reach a provider. The `openai` package is loaded by the first request. */
export function connectOpenAI(options: OpenAIClientOptions): OpenAIConnection {
  let loading: Promise<OpenAIConnection> | undefined;
  return {
    async post(path, body, signal) {
      loading ??= load(options);
      return (await loading).post(path, body, signal);
    },
  };
}

async function load(options: OpenAIClientOptions): Promise<OpenAIConnection> {
  const openai = await import('openai');
  class StewardOpenAI extends openai.OpenAI {
    protected override makeStatusError(
      ...args: Parameters<InstanceType<typeof openai.OpenAI>['makeStatusError']>
    ) {
      return Object.assign(super.makeStatusError(...args), { providerBody: args[1] });
    }
  }
  const client = new StewardOpenAI(clientOptions(options));
  return {
    async post(path, body, signal) {
      try {
        const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
        return await client.post(path, { body, headers, signal }).asResponse();
      } catch (error) {
        throw new RequestFailure(explain(error, openai), error);
      }
    },
  };
}

function clientOptions(options: OpenAIClientOptions): ClientOptions {
  const { apiKey, baseURL, organization, project, headers } = options;
  const own = usesProxy(process.env, process.execArgv)
    ? undefined
    : createNodeFetch(options.connectTimeoutMs);
  const fetch = options.fetch ?? own;
  return {
    // Servers that need no key get no header at all.
    apiKey: apiKey ?? 'none',
    defaultHeaders: { ...(apiKey === undefined ? { authorization: null } : {}), ...headers },
    // Retries are the run's business: it knows whether anything was said already.
    maxRetries: 0,
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(organization === undefined ? {} : { organization }),
    ...(project === undefined ? {} : { project }),
    ...(fetch === undefined ? {} : { fetch }),
  };
}

function explain(error: unknown, openai: typeof import('openai')): ModelError {
  if (error instanceof openai.APIUserAbortError)
    return failure('aborted', 'The request was aborted.');
  if (error instanceof openai.APIConnectionTimeoutError)
    return failure('model_timeout', told(error));
  if (error instanceof openai.APIConnectionError) return failure('model_unreachable', told(error));
  if (error instanceof openai.APIError && error.status !== undefined) {
    return explainStatus(error as unknown as StatusError);
  }
  return failure('model_failed', told(error));
}

function explainStatus({ status, message, headers, providerBody }: StatusError): ModelError {
  const wait = retryAfterMs(headers, Date.now());
  const read =
    providerBody === undefined
      ? { code: null, type: null, message: message.slice(0, 1_000) }
      : readErrorBody(providerBody);
  return { status, ...read, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
}

/** A failure on this side of the provider. */
export function failure(code: string, message: string): ModelError {
  return { status: null, code, type: null, message };
}

/** The message of an error and of what is behind it (`connect ECONNREFUSED ...`). */
export function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' || error.message.includes(cause)
    ? error.message
    : `${error.message} (${cause})`;
}
