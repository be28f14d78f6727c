import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Client,
  type Progress,
  SdkHttpError,
  type Tool,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import ownPackage from '../../package.json' with { type: 'json' };
import { StewardError } from '../errors/steward-error.ts';
import type { JsonObject } from '../internal/json.ts';
import { ToolContent } from '../tools/tool-content.ts';
import { authorizationRequired, callFailure, causes } from './call-failure.ts';
import type { ConnectionAuth } from './connection-auth.ts';
import { contentParts } from './content-blocks.ts';
import { askPerson, callWithInput } from './elicitation.ts';
import type { ListedTool, Listing, McpAnswer, McpCall, McpClient } from './mcp-client.ts';
import { type Link, waysTo } from './open-transport.ts';
import type { McpServerConfig, NativeServerConfig } from './server-config.ts';
import {
  getPrompt,
  listPrompts,
  type PromptArguments,
  type PromptMessage,
  type ServerPrompt,
} from './server-prompts.ts';
import { callResources, resourceTools } from './server-resources.ts';

/** What is needed to open a connection. */
export interface ConnectOptions<Config extends McpServerConfig = McpServerConfig> {
  readonly name: string;
  readonly config: Config;
  readonly auth: ConnectionAuth | undefined;
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
/** How long the end of a session may take. */
const GOODBYE_MS = 1_000;

/** How long the answer of a call may be on its way to its reader when the stream that it came with has ended. */
const LAST_EVENT_MS = 1_000;
/** How servers that only know SSE refuse a POST to their address. */
const NOT_STREAMABLE: ReadonlySet<number> = new Set([400, 404, 405, 406, 415]);

/**
 * Connects to a server over stdio, streamable HTTP or SSE, speaking the newest protocol that it knows. Throws
 * `mcp_unavailable` or `authorization_required`; no child process is left behind then.
 */
export async function connectNative(
  options: ConnectOptions<NativeServerConfig>,
): Promise<McpClient> {
  const [best, older] = waysTo(options.config);
  try {
    return await connectBy(best as Way, options);
  } catch (error) {
    const isOld = causes(error).some(
      (cause) => cause instanceof SdkHttpError && NOT_STREAMABLE.has(cause.status ?? 0),
    );
    if (older === undefined || !isOld) throw error;
    // What the newer transport met is the better reason, should neither work.
    return await connectBy(older, options).catch(() => Promise.reject(error));
  }
}

type Way = ReturnType<typeof waysTo>[number];

async function connectBy(way: Way, options: ConnectOptions): Promise<McpClient> {
  const calls = new AsyncLocalStorage<RunningCall>();
  const running = new Set<RunningCall>();
  const link = way({
    auth: options.auth,
    // A request is made for the call in whose course it is sent.
    watch: () => calls.getStore()?.streamEnded,
  });
  const client = new Client(
    { name: 'steward', version: ownPackage.version },
    {
      capabilities: { elicitation: { form: { applyDefaults: true }, url: {} } },
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_TIMEOUT_MS } },
      inputRequired: { autoFulfill: false },
      listChanged: {
        tools: { autoRefresh: false, onChanged: options.onToolsChanged },
        // What the client library remembers of them is forgotten.
        prompts: { autoRefresh: false, onChanged: () => undefined },
        resources: { autoRefresh: false, onChanged: () => undefined },
      },
    },
  );
  client.setRequestHandler('elicitation/create', async (request) => {
    // Over HTTP the question comes inside of its call; over stdio it can only be told when there is one.
    const call = calls.getStore() ?? (running.size === 1 ? [...running][0] : undefined);
    return call === undefined ? { action: 'cancel' } : askPerson(call.call, request.params);
  });
  try {
    await client.connect(link.transport, { signal: options.signal, timeout: NO_TIMEOUT_MS });
  } catch (error) {
    await link.transport.close().catch(() => undefined);
    throw unreachable(options.name, error, link.lastWords());
  }
  // Not before: the end of an attempt is no end of a connection.
  client.onclose = options.onClosed;
  return new NativeClient({ name: options.name, client, link, calls, running });
}

/** A call that has no answer yet. */
interface RunningCall {
  readonly call: McpCall;
  /** The event stream of its answer ended. */
  readonly streamEnded: (isResumable: boolean) => void;
}

function unreachable(name: string, error: unknown, words: string): StewardError {
  if (causes(error).some((cause) => cause instanceof UnauthorizedError)) {
    return authorizationRequired(name, error);
  }
  const said = words === '' ? '' : ` It wrote: ${words}`;
  const message = `No connection to MCP server "${name}": ${reasonOf(error)}.${said}`;
  return new StewardError('mcp_unavailable', message, { cause: error });
}

/** All that is said along the causes: what "fetch failed" hides is the last one. */
function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  for (const cause of causes(error)) {
    const said = cause.message || ('code' in cause && String(cause.code)) || cause.name;
    if (!reasons.some((reason) => reason.includes(said))) reasons.push(said);
  }
  return reasons.join(': ') || String(error);
}

interface Parts {
  readonly name: string;
  readonly client: Client;
  readonly link: Link;
  readonly calls: AsyncLocalStorage<RunningCall>;
  readonly running: Set<RunningCall>;
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

  list(signal: AbortSignal): Promise<Listing> {
    const { client } = this.#parts;
    return this.#ask(async () => {
      if (client.getServerCapabilities()?.tools === undefined) {
        return { tools: resourceTools(client, []), ttlMs: null };
      }
      const options = { signal, timeout: NO_TIMEOUT_MS, cacheMode: 'refresh' } as const;
      const { tools, ...rest } = await client.listTools(undefined, options);
      const listed = tools.map(listedTool);
      const ttlMs = typeof rest['ttlMs'] === 'number' ? rest['ttlMs'] : null;
      return { tools: [...listed, ...resourceTools(client, listed)], ttlMs };
    });
  }

  prompts(signal: AbortSignal): Promise<readonly ServerPrompt[]> {
    const { client } = this.#parts;
    return this.#ask(() => listPrompts(client, { signal, timeout: NO_TIMEOUT_MS }));
  }

  prompt(
    name: string,
    args: PromptArguments,
    signal: AbortSignal,
  ): Promise<readonly PromptMessage[]> {
    const { client } = this.#parts;
    return this.#ask(() =>
      getPrompt(client, { name, arguments: args }, { signal, timeout: NO_TIMEOUT_MS }),
    );
  }

  /** Asks for something that has no effect: that no answer came is just a server out of reach. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const { name, link } = this.#parts;
    try {
      return await question();
    } catch (error) {
      const failure = callFailure(error, name);
      if (failure !== 'session_lost' && failure.code !== 'outcome_unknown') throw failure;
      throw unreachable(name, error, link.lastWords());
    }
  }

  async call(call: McpCall): Promise<McpAnswer> {
    const { client, name, calls, running } = this.#parts;
    const { idempotencyKey } = call.context;
    call.context.signal.throwIfAborted();
    const lost = new AbortController();
    const signal = AbortSignal.any([call.context.signal, lost.signal]);
    let timer: NodeJS.Timeout | undefined;
    const at: RunningCall = {
      call,
      streamEnded: (isResumable) => {
        // The client library waits for an answer that can no longer come.
        if (isResumable || !running.has(at)) return;
        timer = setTimeout(() => lost.abort(streamLost(name)), LAST_EVENT_MS);
      },
    };
    running.add(at);
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
      const resource = calls.run(at, () =>
        callResources(client, call, { signal, timeout: NO_TIMEOUT_MS }),
      );
      if (resource !== undefined) {
        const content = new ToolContent(await resource);
        return { kind: 'answered', content, structured: undefined, isError: false };
      }
      const result = await calls.run(at, () =>
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
      const failure = callFailure(error, name);
      if (failure === 'session_lost') return { kind: failure };
      throw failure;
    } finally {
      clearTimeout(timer);
      running.delete(at);
    }
  }

  async close(): Promise<void> {
    const { client, link } = this.#parts;
    await within(GOODBYE_MS, link.goodbye());
    await client.close().catch(() => undefined);
  }
}

const streamLost = (name: string): StewardError =>
  new StewardError(
    'outcome_unknown',
    `MCP server "${name}" ended the stream of a call without an answer.`,
  );

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
