import { setImmediate } from 'node:timers/promises';
import {
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  type McpServer,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { readArtifactTool } from '../artifacts/read-artifact-tool.ts';
import type { CallerCertificates } from '../service-auth/caller-certificate.ts';
import type { ServiceVerifier } from '../service-auth/service-verifier.ts';
import type { ArtifactStore } from '../stores/artifact-store.ts';
import { inProcessArtifactStore } from '../stores/in-process/in-process-artifact-store.ts';
import type { Tool } from '../tools/tool.ts';
import { authenticator, LOCAL } from './authenticator.ts';
import { type ExecutionLedger, inProcessExecutionLedger } from './execution-ledger.ts';
import { HttpFace } from './http-face.ts';
import { type HttpListener, type ListenOptions, listenHttp } from './http-listener.ts';
import { nativeFactory } from './native-face.ts';
import { ServerCalls } from './server-calls.ts';
import { ServerMetrics } from './server-metrics.ts';
import { SuspendedCalls } from './suspended-calls.ts';

/**
 * What {@link mcpServer} takes.
 *
 * @example
 * ```ts
 * import type { ToolServerOptions } from '@steward/core/mcp-server';
 * import { serviceVerifier } from '@steward/core/service-auth';
 *
 * const options: ToolServerOptions = {
 *   name: 'mail',
 *   version: '1.0.0',
 *   tools: [],
 *   allowedHosts: ['mail.internal'],
 *   callers: serviceVerifier({
 *     audience: 'mail',
 *     services: { orchestrator: { jwks: 'https://orchestrator.internal/jwks.json' } },
 *   }),
 * };
 * ```
 */
export interface ToolServerOptions {
  readonly name: string;
  readonly version: string;
  /** What a model should know of the server as a whole. */
  readonly instructions?: string | undefined;
  /** Made with `tool()`; their names are 1 to 64 letters, digits, `_`, `-` or `.`. Whether a person is asked is for the assistant to say. */
  readonly tools: readonly Tool[];
  /** Checks the token that callers have to send over HTTP. Without it, and without `certificates`, everybody may call. */
  readonly callers?: ServiceVerifier | undefined;
  /** The certificates that callers have to show (mutual TLS; see `listen`). */
  readonly certificates?: CallerCertificates | undefined;
  /** Host names by which it may be called; `localhost`, `127.0.0.1` and `[::1]` unless given. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Host names of web pages that may call it; those of this machine unless given. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Which calls were made; known to this process alone unless given. */
  readonly ledger?: ExecutionLedger | undefined;
  /** Where large results go; files of this process unless given. */
  readonly artifacts?: ArtifactStore | undefined;
  /** Bytes of a result that are sent as they are; 262,144 unless given. Of more, the beginning and a reference are sent. */
  readonly resultLimitBytes?: number | undefined;
  /** Milliseconds a call may take unless its tool says otherwise; 60,000 unless given. */
  readonly toolTimeoutMs?: number | undefined;
  /** Calls at the same time; 256 unless given. More are refused. */
  readonly maxParallelCalls?: number | undefined;
  /** Bytes of a request; 4 MiB unless given. */
  readonly maxRequestBytes?: number | undefined;
  /** Whether the server can do its work, for `GET /health`. */
  readonly isHealthy?: (() => Promise<boolean>) | undefined;
  /**
   * Adds what is not a tool of ours (resources, prompts, tools of the SDK) to the SDK's own server. Called for each of
   * them: there is one for each connection or request.
   */
  readonly configure?: ((server: McpServer) => void) | undefined;
  /** Options of the SDK's own server, such as `requestState` and `cacheHints`. */
  readonly serverOptions?: ServerOptions | undefined;
}

/**
 * A server of tools: one definition, every protocol.
 *
 * @example
 * ```ts
 * import type { ToolServer } from '@steward/core/mcp-server';
 *
 * export const worker = (server: ToolServer) => ({ fetch: (request: Request) => server.fetch(request) });
 * ```
 */
export interface ToolServer {
  /**
   * Answers one HTTP request: `/mcp`, `/mcp/discover`, `/.well-known/mcp`, `/mcp/execute`, `/health`, `/metrics`. Use it to put
   * the server into an application of your own. `socket` is the connection, for client certificates.
   */
  fetch(request: Request, socket?: unknown): Promise<Response>;
  /** Listens for HTTP. Resolves with the address, such as `http://127.0.0.1:8001`. */
  listen(options?: ListenOptions): Promise<string>;
  /** Serves the process that started this one over stdin and stdout; nothing else may write to stdout then. */
  stdio(): void;
  /** Tells clients that listen that the tools have changed. */
  toolsChanged(): void;
  /** Takes no more requests, gives running calls five seconds, and ends everything it started. Twice is no error. */
  close(): Promise<void>;
}

const DEFAULTS = {
  resultLimitBytes: 262_144,
  toolTimeoutMs: 60_000,
  maxParallelCalls: 256,
  maxRequestBytes: 4 * 1024 * 1024,
};
/** Bytes that the server keeps of large results, and of one of them. */
const ARTIFACTS = { artifactBytes: 256 * 1024 * 1024, artifactsBytes: 1024 * 1024 * 1024 };
/** How long calls may take to end when the server ends. */
const DRAIN_MS = 5_000;
/** The tool that a server adds: it reads large results. */
const READER = 'read_result';
const NAME = /^[\w.-]{1,64}$/;

/**
 * Makes a server of tools. The same tools are served over native MCP (stdio and streamable HTTP, revision 2026-07-28 and the
 * sessions of older ones) and over the REST contract (`GET /mcp/discover`, `POST /mcp/execute`), with the same rules: arguments
 * are checked before anything runs, a call that comes again under its key is answered and not repeated, results are bounded,
 * foreign hosts and web pages are refused. `GET /health` and `GET /metrics` (Prometheus) are there as well.
 *
 * @throws TypeError that names the option.
 * @see https://modelcontextprotocol.io/specification/2026-07-28
 * @example
 * ```ts
 * import { tool } from '@steward/core';
 * import { mcpServer } from '@steward/core/mcp-server';
 * import { z } from 'zod';
 *
 * const add = tool({
 *   name: 'add',
 *   description: 'Add two numbers',
 *   parameters: z.object({ a: z.number(), b: z.number() }),
 *   effect: 'read',
 *   execute: ({ a, b }) => ({ sum: a + b }),
 * });
 * const server = mcpServer({ name: 'calculator', version: '1.0.0', tools: [add] });
 * const url = await server.listen();
 *
 * const response = await fetch(`${url}/mcp/execute`, {
 *   method: 'POST',
 *   headers: { 'content-type': 'application/json' },
 *   body: JSON.stringify({ tools: [{ tool_slug: 'add', arguments: { a: 2, b: 3 } }] }),
 * });
 * const { data } = (await response.json()) as { data: { results: { response: unknown }[] } };
 * console.log(data.results[0]?.response); // { sum: 5 }
 * await server.close();
 * ```
 */
export function mcpServer(options: ToolServerOptions): ToolServer {
  return new HostedServer(options);
}

class HostedServer implements ToolServer {
  readonly #http: HttpFace;
  readonly #factory: ReturnType<typeof nativeFactory>;
  readonly #suspended = new SuspendedCalls();
  readonly #calls: ServerCalls;
  readonly #maxRequestBytes: number;
  readonly #listeners: HttpListener[] = [];
  readonly #closers: { close(): Promise<void> }[] = [];

  constructor(options: ToolServerOptions) {
    const { name, version, instructions, configure, serverOptions, callers, certificates } =
      options;
    const limits = { ...DEFAULTS, ...givenLimits(options) };
    const { artifacts, ledger = inProcessExecutionLedger() } = options;
    const kept = artifacts ?? this.#ownArtifacts();
    const all = [...options.tools, readArtifactTool(kept, limits.resultLimitBytes, READER)];
    const tools = checkedTools(all);
    const metrics = new ServerMetrics();
    const calls = new ServerCalls({
      tools,
      ledger,
      artifacts: kept,
      metrics,
      ...limits,
      reader: READER,
    });
    this.#calls = calls;
    const shared = { info: { name, version }, instructions, tools, calls };
    this.#factory = nativeFactory({
      ...shared,
      suspended: this.#suspended,
      local: LOCAL,
      configure,
      serverOptions,
    });
    this.#maxRequestBytes = limits.maxRequestBytes;
    this.#http = new HttpFace({
      ...shared,
      ...limits,
      factory: this.#factory,
      metrics,
      allowedHosts: options.allowedHosts ?? localhostAllowedHostnames(),
      allowedOrigins: options.allowedOrigins ?? localhostAllowedOrigins(),
      isHealthy: options.isHealthy ?? (async () => true),
      authenticate: authenticator(callers, certificates),
    });
  }

  fetch(request: Request, socket?: unknown): Promise<Response> {
    return this.#http.fetch(request, socket);
  }

  async listen(options: ListenOptions = {}): Promise<string> {
    const fetch = (request: Request, socket: unknown) => this.#http.fetch(request, socket);
    const listener = await listenHttp(fetch, this.#maxRequestBytes, options);
    this.#listeners.push(listener);
    return listener.url;
  }

  stdio(): void {
    this.#closers.push(serveStdio(this.#factory));
  }

  toolsChanged(): void {
    this.#http.toolsChanged();
  }

  async close(): Promise<void> {
    const listeners = this.#listeners.splice(0);
    for (const listener of listeners) listener.stop();
    this.#suspended.close();
    await this.#drained();
    await this.#http.close();
    const closers = this.#closers.splice(0);
    await Promise.all([...listeners, ...closers].map((opened) => opened.close()));
  }

  /** Calls that run may end, and their answers be written. */
  async #drained(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_MS);
    await Promise.race([this.#calls.settled(), late]);
    clearTimeout(timer);
    await setImmediate();
  }

  #ownArtifacts(): ArtifactStore {
    const store = inProcessArtifactStore(ARTIFACTS);
    this.#closers.push(store);
    return store;
  }
}

function givenLimits(options: ToolServerOptions): Partial<typeof DEFAULTS> {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  const given = names.flatMap((name) => {
    const value = options[name];
    if (value === undefined) return [];
    if (!Number.isInteger(value) || value < 1)
      throw new TypeError(`mcpServer: ${name} must be a whole number, at least 1`);
    return [[name, value]];
  });
  return Object.fromEntries(given) as Partial<typeof DEFAULTS>;
}

function checkedTools(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    const field = `mcpServer: tools: "${tool.name}"`;
    if (!NAME.test(tool.name))
      throw new TypeError(`${field} must be named by 1 to 64 letters, digits, _ - or .`);
    if (byName.has(tool.name)) throw new TypeError(`${field} is there twice`);
    byName.set(tool.name, tool);
  }
  return byName;
}
