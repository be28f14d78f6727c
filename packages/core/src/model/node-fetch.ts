import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** The body of a response, when it is read as it is pushed instead of through web streams. */
export const pushedBody = Symbol('steward.pushedBody');

type Fetch = typeof globalThis.fetch;
/** What the openai client passes to its `fetch`. */
type Init = NonNullable<Parameters<Fetch>[1]>;

/** Characters read of a body that is wanted as a whole: only errors are. */
const maxErrorLength = 1024 * 1024;

/** A `Response` as far as the openai client looks at one, and the socket's own stream. */
export interface NodeResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly body: { cancel(): Promise<void> };
  readonly [pushedBody]: IncomingMessage;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/**
 * A `fetch` on node:http with keep-alive, for requests whose body is a string. It spares the web streams, which cost
 * more per token than everything else together. Redirects are left to the global fetch.
 */
export function createNodeFetch(connectTimeoutMs: number): Fetch {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  const send = (url: URL, init: Init, isRetry: boolean): Promise<Response> =>
    new Promise((resolve, reject) => {
      let answered = false;
      const secure = url.protocol === 'https:';
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: init.method ?? 'GET',
        headers: headersFor(init),
        agent: secure ? https : http,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      request.on('response', (incoming) => {
        answered = true;
        if (!isRedirect(incoming)) return resolve(toResponse(incoming, url) as unknown as Response);
        incoming.destroy();
        resolve(globalThis.fetch(url, init));
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (answered) return;
        // The server closed an idle connection at the moment we used it: it did not read the request.
        const stale = request.reusedSocket && error.code === 'ECONNRESET';
        if (stale && !isRetry && !init.signal?.aborted) resolve(send(url, init, true));
        else reject(error);
      });
      limitConnecting(request, secure ? 'secureConnect' : 'connect', connectTimeoutMs);
      request.end(init.body);
    });
  return (input, init = {}) =>
    send(new URL(input instanceof Request ? input.url : input), init, false);
}

/** Whether this process was told to use a proxy, which is the business of the global fetch. */
export function usesProxy(environment: NodeJS.ProcessEnv, execArgv: readonly string[]): boolean {
  const asked =
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    execArgv.includes('--use-env-proxy') ||
    (environment['NODE_OPTIONS'] ?? '').includes('--use-env-proxy');
  const set = (name: string) => Boolean(environment[name] ?? environment[name.toUpperCase()]);
  return asked && (set('http_proxy') || set('https_proxy'));
}

/** Gives a request up whose connection is not there in time; a connection that is reused needs none. */
function limitConnecting(request: ClientRequest, connected: string, ms: number): void {
  request.on('socket', (socket) => {
    if (!socket.connecting) return;
    const fail = () => request.destroy(new Error(`connecting timed out after ${ms} ms`));
    const timer = setTimeout(fail, ms);
    const clear = () => clearTimeout(timer);
    socket.once(connected, clear);
    socket.once('close', clear);
  });
}

function headersFor(init: Init): Record<string, string | number> {
  const headers: Record<string, string | number> = Object.fromEntries(new Headers(init.headers));
  headers['accept-encoding'] = 'identity';
  if (typeof init.body === 'string') headers['content-length'] = Buffer.byteLength(init.body);
  return headers;
}

function isRedirect({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
}

function toResponse(incoming: IncomingMessage, url: URL): NodeResponse {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  const status = incoming.statusCode ?? 0;
  const text = async () => {
    let whole = '';
    incoming.setEncoding('utf8');
    for await (const piece of incoming) {
      whole += piece;
      if (whole.length > maxErrorLength) break;
    }
    return whole;
  };
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText: incoming.statusMessage ?? '',
    headers,
    url: url.href,
    body: {
      cancel: () => {
        incoming.destroy();
        return Promise.resolve();
      },
    },
    [pushedBody]: incoming,
    text,
    json: async () => JSON.parse(await text()),
  };
}
