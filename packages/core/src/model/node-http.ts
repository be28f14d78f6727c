import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { defined } from '../internal/defined.ts';
import type { Cancellation } from './cancellation.ts';
import { fetchedResponse, type ProviderResponse, PushedResponse } from './response-body.ts';

/** Where requests go, and what stays the same in all of them. */
export interface Destination {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Posts a body. */
export type Post = (body: string, cancellation: Cancellation) => Promise<ProviderResponse>;

/** How requests are sent: through the `fetch` that was given, else on node:http, unless a proxy is to be used. */
export function chooseHttp(
  fetch: typeof globalThis.fetch | undefined,
  connectTimeoutMs: number,
): (destination: Destination) => Post {
  if (fetch !== undefined) return fetchHttp(fetch);
  return usesProxy(process.env, process.execArgv)
    ? fetchHttp(globalThis.fetch)
    : nodeHttp(connectTimeoutMs);
}

/**
 * Requests on node:http with keep-alive, whose answers the socket pushes. It spares the web streams, which cost more per
 * token than everything else together, and prepares what is the same in each request once. Redirects are left to the
 * global fetch.
 */
function nodeHttp(connectTimeoutMs: number): (destination: Destination) => Post {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({ keepAlive: true });
  return (destination) => {
    const url = new URL(destination.url);
    const isSecure = url.protocol === 'https:';
    const route: Route = {
      ...destination,
      protocol: isSecure ? https : http,
      connected: isSecure ? 'secureConnect' : 'connect',
      connectTimeoutMs,
      options: { ...placeOf(url), method: 'POST', agent: isSecure ? secure : plain },
    };
    return (body, cancellation) => post(route, { body, cancellation, isRetry: false });
  };
}

/** What node:http needs of a URL: it keeps its options, member by member, as long as the connection lives. */
function placeOf(url: URL): RequestOptions {
  const { protocol, hostname, port, path, auth } = urlToHttpOptions(url);
  return { protocol, hostname, path, ...defined({ port, auth }) };
}

/** Requests through a `fetch`. */
function fetchHttp(fetch: typeof globalThis.fetch): (destination: Destination) => Post {
  return ({ url, headers }) =>
    async (body, cancellation) => {
      const signal = cancellation.signal();
      return fetchedResponse(await fetch(url, { method: 'POST', headers, body, signal }));
    };
}

/** Whether this process was told to use a proxy, which is the business of the global fetch. */
function usesProxy(environment: NodeJS.ProcessEnv, execArgv: readonly string[]): boolean {
  const asked =
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    execArgv.includes('--use-env-proxy') ||
    (environment['NODE_OPTIONS'] ?? '').includes('--use-env-proxy');
  const set = (name: string) => Boolean(environment[name] ?? environment[name.toUpperCase()]);
  return asked && (set('http_proxy') || set('https_proxy'));
}

interface Route extends Destination {
  /** Asked for its `request` each time: tools that watch or mock the network replace it. */
  readonly protocol: Pick<typeof http, 'request'>;
  readonly options: RequestOptions;
  /** The event of a socket that is ready. */
  readonly connected: string;
  readonly connectTimeoutMs: number;
}

/** A request on its way. */
interface Sending {
  /** Emptied once it was answered: a conversation is long, and the listeners live as long as the answer. */
  body: string;
  readonly cancellation: Cancellation;
  readonly isRetry: boolean;
}

function post(route: Route, sending: Sending): Promise<ProviderResponse> {
  const { cancellation, isRetry } = sending;
  return new Promise((resolve, reject) => {
    if (cancellation.isCancelled) return reject(cancelled());
    // As bytes: of a text and the head of the request Node would make one string, and keep it and its parts.
    const bytes = Buffer.from(sending.body);
    const headers = {
      ...route.headers,
      'accept-encoding': 'identity',
      'content-length': bytes.length,
    };
    const request = route.protocol.request({ ...route.options, headers });
    let answered = false;
    cancellation.onCancel(() => request.destroy(cancelled()));
    request.on('response', (incoming) => {
      answered = true;
      resolve(
        isRedirect(incoming) ? follow(route, sending, incoming) : new PushedResponse(incoming),
      );
      sending.body = '';
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (answered) return;
      // The server closed an idle connection at the moment we used it: it did not read the request.
      const stale = request.reusedSocket && error.code === 'ECONNRESET';
      if (stale && !isRetry && !cancellation.isCancelled)
        resolve(post(route, { ...sending, isRetry: true }));
      else reject(error);
    });
    limitConnecting(request, route);
    request.end(bytes);
  });
}

function follow(
  route: Route,
  { body, cancellation }: Sending,
  incoming: IncomingMessage,
): Promise<ProviderResponse> {
  incoming.destroy();
  return fetchHttp(globalThis.fetch)(route)(body, cancellation);
}

function cancelled(): Error {
  return new Error('The request was given up.');
}

/** Gives a request up whose connection is not there in time; a connection that is reused needs none. */
function limitConnecting(request: ClientRequest, { connected, connectTimeoutMs: ms }: Route): void {
  request.on('socket', (socket) => {
    if (!socket.connecting) return;
    const fail = () => request.destroy(new Error(`connecting timed out after ${ms} ms`));
    const timer = setTimeout(fail, ms);
    const clear = () => {
      clearTimeout(timer);
      socket.off(connected, clear).off('close', clear);
    };
    socket.on(connected, clear).on('close', clear);
  });
}

function isRedirect(incoming: IncomingMessage): boolean {
  const { statusCode = 0 } = incoming;
  return statusCode >= 300 && statusCode < 400 && incoming.headers.location !== undefined;
}
