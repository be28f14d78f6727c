import type { ClientOptions, OpenAI } from 'openai';
import { defined } from '../internal/defined.ts';
import type { ModelError } from './model-events.ts';
import type { Destination, Post } from './node-http.ts';
import { readErrorBody, retryAfterMs } from './openai-error.ts';
import { fetchedResponse, type ProviderResponse } from './response-body.ts';

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
  /** Posts a body that is already JSON. Resolves once the provider accepted it; rejects with a {@link RequestFailure}. */
  readonly post: Post;
  /** Any other request, to a path of the API. They are rare, so nothing of them is prepared. As `post`. */
  send(request: RareRequest, signal: AbortSignal): Promise<ProviderResponse>;
}

/** A request that is not the one of every turn. */
interface RareRequest {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
}

/** A failed request, told apart where the classes of the `openai` package are at hand. */
export class RequestFailure extends Error {
  readonly error: ModelError;

  constructor(error: ModelError, cause: unknown) {
    super(error.message, { cause });
    this.error = error;
  }
}

/** Prepares to reach a provider at a path of its API. The `openai` package is loaded by the first request. */
export function connectOpenAI(options: OpenAIClientOptions, path: string): OpenAIConnection {
  let loading: Promise<OpenAIConnection> | undefined;
  const connection = () => {
    loading ??= load(options, path);
    return loading;
  };
  return {
    post: async (body, cancellation) => (await connection()).post(body, cancellation),
    send: async (request, signal) => (await connection()).send(request, signal),
  };
}

async function load(options: OpenAIClientOptions, path: string): Promise<OpenAIConnection> {
  // In this order: node:http is slow to load alone, and nearly free after the package.
  const openai = await import('openai');
  const { chooseHttp } = await import('./node-http.ts');
  const client = new openai.OpenAI(clientOptions(options));
  const http = chooseHttp(options.fetch, options.connectTimeoutMs);
  const prepare = async () => http(await destination(client, path));
  let prepared: Promise<Post> | undefined;
  const accepted = async (sending: Promise<ProviderResponse>): Promise<ProviderResponse> => {
    const response = await sending.catch((reason: unknown) => {
      throw connectionFailure(reason, openai);
    });
    if (response.status >= 200 && response.status < 300) return response;
    throw await statusFailure(response, openai);
  };
  return {
    async post(body, cancellation) {
      // The package makes the headers anew for each request, at a third of a whole turn's cost: once is enough unless
      // the key rotates.
      if (prepared === undefined || typeof options.apiKey === 'function') prepared = prepare();
      const post = await prepared;
      return accepted(post(body, cancellation));
    },
    async send(request, signal) {
      const { req, url } = await client.buildRequest({ ...request, query: { ...request.query } });
      const { method, headers } = req;
      const { fetch = globalThis.fetch } = options;
      const asking = fetch(url, { ...defined({ method, headers }), signal });
      return accepted(asking.then(fetchedResponse));
    },
  };
}

/** Where the client would send a request, and with which headers. */
async function destination(client: OpenAI, path: string): Promise<Destination> {
  const { req, url } = await client.buildRequest({
    method: 'post',
    path,
    body: '{}',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  // What the package tells of the machine and of its own retries is not for us to say: here the run tries again.
  const headers = [...new Headers(req.headers)].filter(
    ([name]) => !name.startsWith('x-stainless-'),
  );
  return { url, headers: Object.fromEntries(headers) };
}

function clientOptions(options: OpenAIClientOptions): ClientOptions {
  const { apiKey, baseURL, organization, project, headers } = options;
  return {
    // Servers that need no key get no header at all.
    apiKey: apiKey ?? 'none',
    defaultHeaders: { ...(apiKey === undefined ? { authorization: null } : {}), ...headers },
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(organization === undefined ? {} : { organization }),
    ...(project === undefined ? {} : { project }),
  };
}

function connectionFailure(reason: unknown, openai: typeof import('openai')): RequestFailure {
  const cause = reason instanceof Error ? reason : new Error(String(reason));
  const timedOut = /timed? ?out/i.test(`${cause} ${told(cause.cause)}`);
  const error = timedOut
    ? new openai.APIConnectionTimeoutError()
    : new openai.APIConnectionError({ cause });
  const code = timedOut ? 'model_timeout' : 'model_unreachable';
  return new RequestFailure(failure(code, told(error)), error);
}

async function statusFailure(
  response: ProviderResponse,
  openai: typeof import('openai'),
): Promise<RequestFailure> {
  const { status, headers } = response;
  const text = await response.text().catch(told);
  const body = parse(text);
  const wait = retryAfterMs(headers, Date.now());
  const requestId = headers.get('x-request-id');
  const error = openai.APIError.generate(
    status,
    body as object | undefined,
    body === undefined ? text : undefined,
    new Headers(requestId === null ? {} : { 'x-request-id': requestId }),
  );
  const read =
    body === undefined
      ? { code: null, type: null, message: error.message.slice(0, 1_000) }
      : readErrorBody(body);
  const known: ModelError = {
    status,
    ...read,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
  return new RequestFailure(known, error);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
