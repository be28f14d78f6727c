import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client, Progress, Tool, Transport } from '@modelcontextprotocol/client';
import ownPackage from '../../package.json' with { type: 'json' };
import { StewardError } from '../errors/steward-error.ts';
import type { JsonObject } from '../internal/json.ts';
import { ToolContent } from '../tools/tool-content.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { type ClientErrors, callFailure } from './call-failure.ts';
import { contentParts } from './content-blocks.ts';
import { askPerson, callWithInput } from './elicitation.ts';
import type { ListedTool, McpAnswer, McpCall, McpClient } from './mcp-client.ts';
import type { HttpServerConfig, McpServerConfig, StdioServerConfig } from './server-config.ts';

/** What is needed to open a connection. */
export interface ConnectOptions {
  readonly name: string;
  readonly config: McpServerConfig;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Called once when the connection is gone, whoever ended it. */
  readonly onClosed: () => void;
  /** Called when the server says that its tools changed. */
  readonly onToolsChanged: () => void;
}

/** The longest timer there is: the caller's signal ends a call, so that the time a person thinks does not count. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
/** A server that does not answer the question for its version by then is taken for an old one. */
const PROBE_TIMEOUT_MS = 5_000;
/** One message of a server, at most. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** What is kept of a child's last words, for the error message. */
const MAX_STDERR_CHARACTERS = 2_000;
/** How long the end of a session may take. */
const GOODBYE_MS = 1_000;

/**
 * Connects to a server over stdio or streamable HTTP, speaking the newest protocol that it knows. Throws `mcp_unavailable`;
 * no child process is left behind then.
 */
export async function connectNative(options: ConnectOptions): Promise<McpClient> {
  const library = await import('@modelcontextprotocol/client');
  const calls = new AsyncLocalStorage<McpCall>();
  const running = new Set<McpCall>();
  const link = await openTransport(options.config);
  const client = new library.Client(
    { name: 'steward', version: ownPackage.version },
    {
      capabilities: { elicitation: { form: {}, url: {} } },
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_TIMEOUT_MS } },
      inputRequired: { autoFulfill: false },
      listChanged: { tools: { autoRefresh: false, onChanged: options.onToolsChanged } },
    },
  );
  client.onclose = options.onClosed;
  client.setRequestHandler('elicitation/create', async (request) => {
    // Over HTTP the question comes inside of its call; over stdio it can only be told when there is one.
    const call = calls.getStore() ?? (running.size === 1 ? [...running][0] : undefined);
    return call === undefined ? { action: 'cancel' } : askPerson(call, request.params);
  });
  try {
    await client.connect(link.transport, { signal: options.signal, timeout: NO_TIMEOUT_MS });
  } catch (error) {
    await link.transport.close().catch(() => undefined);
    throw unreachable(options.name, error, link.lastWords());
  }
  return new NativeClient({ name: options.name, client, link, errors: library, calls, running });
}

/** A transport, what its other end complained of, and how to take leave. */
interface Link {
  readonly transport: Transport;
  lastWords(): string;
  goodbye(): Promise<void>;
}

function openTransport(config: McpServerConfig): Promise<Link> {
  return 'command' in config ? openStdio(config) : openHttp(config);
}

async function openStdio({ command, args = [], env, cwd }: StdioServerConfig): Promise<Link> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
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

async function openHttp({ url, headers }: HttpServerConfig): Promise<Link> {
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: boundedFetch(MAX_MESSAGE_BYTES),
  });
  return { transport, lastWords: () => '', goodbye: () => transport.terminateSession() };
}

function unreachable(name: string, error: unknown, words: string): StewardError {
  const said = words === '' ? '' : ` It wrote: ${words}`;
  const message = `No connection to MCP server "${name}": ${reasonOf(error)}.${said}`;
  return new StewardError('mcp_unavailable', message, { cause: error });
}

/** All that is said along the causes: what "fetch failed" hides is the last one. */
function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const said = at.message || ('code' in at && String(at.code)) || at.name;
    if (!reasons.some((reason) => reason.includes(said))) reasons.push(said);
  }
  return reasons.join(': ') || String(error);
}

interface Parts {
  readonly name: string;
  readonly client: Client;
  readonly link: Link;
  readonly errors: ClientErrors;
  readonly calls: AsyncLocalStorage<McpCall>;
  readonly running: Set<McpCall>;
}

class NativeClient implements McpClient {
  readonly #parts: Parts;
  readonly protocolVersion: string | null;
  readonly era: 'modern' | 'legacy' | null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.protocolVersion = parts.client.getNegotiatedProtocolVersion() ?? null;
    this.era = parts.client.getProtocolEra() ?? null;
  }

  async list(signal: AbortSignal): Promise<readonly ListedTool[]> {
    const { client, name, errors } = this.#parts;
    if (client.getServerCapabilities()?.tools === undefined) return [];
    try {
      const { tools } = await client.listTools(undefined, {
        signal,
        timeout: NO_TIMEOUT_MS,
        cacheMode: 'refresh',
      });
      return tools.map(listedTool);
    } catch (error) {
      const failure = callFailure(error, name, errors);
      // A listing has no effect: that no answer came is just a server out of reach.
      if (failure !== 'session_lost' && failure.code !== 'outcome_unknown') throw failure;
      throw unreachable(name, error, this.#parts.link.lastWords());
    }
  }

  async call(call: McpCall): Promise<McpAnswer> {
    const { client, name, errors, calls, running } = this.#parts;
    const { signal, idempotencyKey } = call.context;
    signal.throwIfAborted();
    running.add(call);
    try {
      const params = {
        name: call.tool.name,
        arguments: call.args as Record<string, unknown>,
        _meta: { 'steward/idempotencyKey': idempotencyKey },
      };
      const options = {
        signal,
        timeout: NO_TIMEOUT_MS,
        allowInputRequired: true,
        // Our own validator checks the structured result: here a mismatch would look as if nothing had run.
        toolDefinition: { ...call.tool.definition, outputSchema: undefined } as unknown as Tool,
        onprogress: ({ progress, total, message }: Progress) =>
          call.context.progress({
            progress,
            ...(total === undefined ? {} : { total }),
            ...(message === undefined ? {} : { message }),
          }),
      };
      const result = await calls.run(call, () =>
        callWithInput(call, (answers) => client.callTool({ ...params, ...answers }, options)),
      );
      const { structuredContent: structured, isError = false } = result;
      return {
        kind: 'answered',
        content: new ToolContent(contentParts(result.content, structured)),
        structured,
        isError,
      };
    } catch (error) {
      const failure = callFailure(error, name, errors);
      if (failure === 'session_lost') return { kind: failure };
      throw failure;
    } finally {
      running.delete(call);
    }
  }

  async close(): Promise<void> {
    const { client, link } = this.#parts;
    await within(GOODBYE_MS, link.goodbye());
    await client.close().catch(() => undefined);
  }
}

/** Waits for something that may fail or hang, but not longer than `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

function listedTool(tool: Tool): ListedTool {
  return {
    name: tool.name,
    description: tool.description ?? tool.title ?? tool.annotations?.title ?? '',
    inputSchema: tool.inputSchema,
    outputSchema: tool.outputSchema,
    annotations: tool.annotations ?? {},
    definition: tool as unknown as JsonObject,
  };
}
