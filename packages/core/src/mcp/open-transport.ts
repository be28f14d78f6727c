import {
  SSEClientTransport,
  SseError,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { type ConnectionAuth, fetchForOthers } from './connection-auth.ts';
import type { HttpServerConfig, NativeServerConfig, StdioServerConfig } from './server-config.ts';
import { serverFetch } from './server-fetch.ts';

/** A transport, what its other end complained of, and how to take leave. */
export interface Link {
  readonly transport: Transport;
  lastWords(): string;
  goodbye(): Promise<void>;
}

/** What an HTTP transport needs besides its address. */
export interface LinkOptions {
  readonly auth: ConnectionAuth | undefined;
  /** See {@link serverFetch}. */
  readonly watch: () => ((isResumable: boolean) => void) | undefined;
}

/** One message of a server, at most. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** What is kept of a child's last words, for the error message. */
const MAX_STDERR_CHARACTERS = 2_000;

/** The ways to reach a server, best first: what is reached by streamable HTTP today was reached by SSE before. */
export function waysTo(config: NativeServerConfig): readonly ((options: LinkOptions) => Link)[] {
  if ('command' in config) return [() => openStdio(config)];
  return [(options) => openHttp(config, options), (options) => openSse(config, options)];
}

function openStdio({ command, args = [], env, cwd }: StdioServerConfig): Link {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
    stderr: 'pipe',
    maxBufferSize: MAX_MESSAGE_BYTES,
  });
  // The library closes a transport that failed without waiting for its child to end: whoever asks again waits for it.
  const end = transport.close.bind(transport);
  let ending: Promise<void> | undefined;
  transport.close = () => {
    ending ??= end();
    return ending;
  };
  let words = '';
  // Read to the last byte, or the child would block; only its last words are kept.
  transport.stderr?.on('data', (chunk: Buffer) => {
    words = (
      words + chunk.toString('utf8', Math.max(0, chunk.length - MAX_STDERR_CHARACTERS))
    ).slice(-MAX_STDERR_CHARACTERS);
  });
  return { transport, lastWords: () => words.trim(), goodbye: async () => undefined };
}

function openHttp(config: HttpServerConfig, options: LinkOptions): Link {
  const transport = new StreamableHTTPClientTransport(
    new URL(config.url),
    transportOptions(config, options),
  );
  transport.onerror = (error) => {
    // A stream that could not be taken up again leaves its calls without an answer: they end with the connection.
    if (error.message.startsWith('Maximum reconnection attempts')) void transport.close();
  };
  return { transport, lastWords: () => '', goodbye: () => transport.terminateSession() };
}

function openSse(config: HttpServerConfig, options: LinkOptions): Link {
  const transport = new SSEClientTransport(
    new URL(config.url),
    transportOptions(config, { ...options, watch: () => undefined }),
  );
  transport.onerror = (error) => {
    // The library would open another stream, a new session that knows nothing of the calls of the old one.
    if (error instanceof SseError) void transport.close();
  };
  return { transport, lastWords: () => '', goodbye: async () => undefined };
}

function transportOptions(config: HttpServerConfig, { auth, watch }: LinkOptions) {
  const { url, headers = {} } = config;
  const server = { url, headers };
  const others = fetchForOthers(config);
  const own = serverFetch({ maxBytes: MAX_MESSAGE_BYTES, server, others, watch });
  return auth === undefined
    ? { fetch: own }
    : { fetch: auth.over(own), authProvider: auth.provider };
}
