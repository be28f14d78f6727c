import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';

/**
 * How a server listens for HTTP.
 *
 * @example
 * ```ts
 * import type { ListenOptions } from '@steward/core/mcp-server';
 *
 * const everywhere: ListenOptions = { port: 8001, host: '0.0.0.0' };
 * ```
 */
export interface ListenOptions {
  /** A free one unless given. */
  readonly port?: number | undefined;
  /** `127.0.0.1` unless given. */
  readonly host?: string | undefined;
  /** Serves TLS, PEM. With `ca`, callers have to show a certificate of it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined;
}

/** A listening port. */
export interface HttpListener {
  readonly url: string;
  /** Takes no more connections; those that are there end with the answers that they wait for. */
  stop(): void;
  /** Waits a moment for these, and cuts what is left. */
  close(): Promise<void>;
}

/** How long the last answers may be on their way. */
const GOODBYE_MS = 1_000;

/** Listens, and has requests answered by a `fetch`, which is given the connection as well. */
export async function listenHttp(
  fetch: (request: Request, socket: unknown) => Promise<Response>,
  maxRequestBodySize: number,
  { port = 0, host = '127.0.0.1', tls }: ListenOptions,
): Promise<HttpListener> {
  const open = new Set<ServerResponse>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    open.add(response);
    response.on('close', () => open.delete(response));
    const handler = { fetch: (asked: Request) => fetch(asked, request.socket) };
    const answer = toNodeHandler(handler, { maxRequestBodySize });
    void answer(request as NodeIncomingMessageLike, response);
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createSecureServer({ ...tls, requestCert: tls.ca !== undefined }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  const closed = Promise.withResolvers<void>();
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${taken}`,
    stop() {
      server.close(() => closed.resolve());
      for (const response of open) response.shouldKeepAlive = false;
    },
    async close() {
      const timer = setTimeout(closed.resolve, GOODBYE_MS);
      await closed.promise;
      clearTimeout(timer);
      server.closeAllConnections();
    },
  };
}
