import { StewardError } from '../errors/steward-error.ts';
import { wait } from '../internal/wait.ts';
import type { Principal } from '../tools/tool.ts';
import { authorizationRequired } from './call-failure.ts';
import type { CallGuard } from './call-guard.ts';
import type { ConnectionAuth } from './connection-auth.ts';
import type { McpAnswer, McpCall, McpClient } from './mcp-client.ts';
import type { ToolServer } from './mcp-tool.ts';
import type { ConnectOptions } from './native-client.ts';
import type { McpServerConfig } from './server-config.ts';
import type { ApprovedTools, ServerEntry } from './server-entry.ts';
import { ServerListing, type ServerListingOptions } from './server-listing.ts';
import type { PromptArguments, PromptMessage, ServerPrompt } from './server-prompts.ts';
import type { ServerState } from './server-state.ts';

/** What a pool gives to each of its servers. */
export interface PooledServerOptions extends ServerListingOptions {
  /** Shared by all connections to the server. */
  readonly guard: CallGuard;
  readonly auth?: ConnectionAuth | undefined;
  /** Where the calls of its tools go: here, unless each user has a connection. */
  readonly route?: ToolServer | undefined;
  readonly connect: (options: ConnectOptions) => Promise<McpClient>;
}

type Answered = Extract<McpAnswer, { kind: 'answered' }>;

type Link =
  | { readonly status: 'idle' }
  | {
      readonly status: 'connecting';
      readonly opening: Promise<McpClient>;
      readonly isFirst: boolean;
    }
  | { readonly status: 'ready'; readonly client: McpClient }
  | {
      readonly status: 'failed';
      readonly error: StewardError;
      readonly failures: number;
      readonly retryAt: number;
    }
  | { readonly status: 'closed' };

const CHILD_CONNECT_MS = 30_000;
const HTTP_CONNECT_MS = 10_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** How long a call waits for a server that does not answer: as long as one takes to restart. */
const RESTART_MS = 5_000;

/** One server of the pool: opens its connection when it is needed, shares it, and opens it again after it was lost. */
export class PooledServer implements ServerEntry {
  readonly name: string;
  readonly config: McpServerConfig;
  readonly #options: PooledServerOptions;
  readonly #closing = new AbortController();
  #link: Link = { status: 'idle' };
  readonly #listing: ServerListing;
  #relisting: Promise<void> | undefined;
  #spoken: Pick<ServerState, 'protocolVersion' | 'era'> = { protocolVersion: null, era: null };

  constructor(name: string, config: McpServerConfig, options: PooledServerOptions) {
    this.name = name;
    this.config = config;
    this.#options = options;
    this.#listing = new ServerListing(options);
  }

  get #connectMs(): number {
    const { connectTimeoutMs } = this.config;
    return connectTimeoutMs ?? ('command' in this.config ? CHILD_CONNECT_MS : HTTP_CONNECT_MS);
  }

  state(): ServerState {
    const { status } = this.#link;
    const failure = this.#link.status === 'failed' ? this.#link.error : undefined;
    return {
      name: this.name,
      status: isUnauthorized(failure) ? 'unauthorized' : status,
      tools: this.#listing.tools,
      refusedTools: this.#listing.refused,
      changedTools: this.#listing.changed,
      error: failure === undefined ? null : { code: failure.code, message: failure.detail },
      ...this.#spoken,
    };
  }

  /**
   * Opens the connection where none is open. Waits for it only the first time, so that a server that is down does not hold up
   * every run. Never throws: `state()` says what came of it.
   */
  async prepare(): Promise<void> {
    const opened = this.#open().catch(() => undefined);
    const link = this.#link;
    if (link.status === 'ready' && this.#listing.isStale) {
      this.#listing.whenDue(() => void this.#refresh(link.client));
    }
    if (this.#link.status === 'connecting' && this.#link.isFirst) await opened;
  }

  /**
   * Calls a tool, over a new connection when the old one is gone; asks the person to sign in, once, where that is what the
   * server wants. Never sends an ambiguous call again.
   */
  async call(call: McpCall): Promise<Answered> {
    const { guard } = this.#options;
    const { signal } = call.context;
    try {
      return await guard.run(() => this.#callTwice(call), signal);
    } catch (error) {
      if (!(await this.#signedIn(error, call))) throw error;
      return guard.run(() => this.#callTwice(call), signal);
    }
  }

  /** Where the person signs in, `null` when that is not needed. Throws when the server cannot be reached. */
  async signInPage(): Promise<string | null> {
    // What is being opened now may give up because nobody has signed in yet.
    if (this.#link.status === 'connecting') await this.#link.opening.catch(() => undefined);
    try {
      await this.#open({ ask: true });
      return null;
    } catch (error) {
      const page = isUnauthorized(error) ? (this.#options.auth?.page() ?? null) : null;
      if (page === null) throw error;
      return page;
    }
  }

  /** Approves definitions that changed, and takes them over. */
  async approve(hashes: ApprovedTools): Promise<void> {
    await this.#options.pins?.approve(hashes);
    await this.relist();
  }

  /** Lists again where there is a connection. */
  async relist(): Promise<void> {
    if (this.#link.status === 'ready') await this.#refresh(this.#link.client);
  }

  finishSignIn(): Promise<void> {
    const message = `Users do not sign in at MCP server "${this.name}".`;
    return Promise.reject(new StewardError('not_found', message));
  }

  prompts(): Promise<readonly ServerPrompt[]> {
    return this.#ask((client, signal) => client.prompts(signal));
  }

  prompt(
    _principal: Principal,
    name: string,
    args: PromptArguments,
  ): Promise<readonly PromptMessage[]> {
    return this.#ask((client, signal) => client.prompt(name, args, signal));
  }

  /** One listing for all calls that wait for one. */
  #relist(client: McpClient): Promise<void> {
    this.#relisting ??= this.#list(client, this.#inTime()).finally(() => {
      this.#relisting = undefined;
    });
    return this.#relisting;
  }

  #inTime(): AbortSignal {
    return AbortSignal.any([AbortSignal.timeout(this.#connectMs), this.#closing.signal]);
  }

  /** Asks for something that has no effect: once more when the server was gone. */
  async #ask<T>(question: (client: McpClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = this.#inTime();
    const client = await this.#opened(signal);
    try {
      return await question(client, signal);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#drop(client);
      return await question(await this.#opened(signal), signal);
    }
  }

  /** The person signed in: the next call connects anew. */
  signedIn(): void {
    if (this.#link.status === 'ready') this.#drop(this.#link.client);
    if (this.#link.status === 'failed') this.#link = { status: 'idle' };
  }

  /** A call that did not run is made once more, over a new connection: the server may have restarted. */
  async #callTwice(call: McpCall): Promise<Answered> {
    const first = await this.#callOnce(call);
    if (first.kind === 'answered') return first;
    const second = await this.#callOnce(call);
    if (second.kind === 'answered') return second;
    const message = `MCP server "${this.name}" loses its sessions or its connections; try again later.`;
    throw new StewardError('mcp_unavailable', message);
  }

  /** Ends the connection, and the child with it. */
  async close(): Promise<void> {
    this.#closing.abort(new StewardError('closed', 'The assistant was closed.'));
    const link = this.#link;
    this.#link = { status: 'closed' };
    if (link.status === 'ready') await link.client.close();
    if (link.status === 'connecting')
      await link.opening.then((client) => client.close()).catch(() => undefined);
  }

  /** Whether the call failed for want of a sign-in that the person has made up for. */
  async #signedIn(error: unknown, { context }: McpCall): Promise<boolean> {
    if (!isUnauthorized(error)) return false;
    // A server that was reached has said where; of the others it has to be asked.
    const page = this.#options.auth?.page() ?? (await this.signInPage());
    if (page === null) return true;
    const message = `Sign in to "${this.name}" to go on.`;
    const answer = await context.requestInput({ message, url: page });
    this.signedIn();
    return answer !== null;
  }

  async #callOnce(call: McpCall): Promise<McpAnswer> {
    const client = await this.#opened(call.context.signal);
    try {
      if (this.#listing.mustAsk(call))
        await unlessAborted(this.#relist(client), call.context.signal);
      this.#listing.checkUnchanged(call, this.name);
      const answer = await client.call(call);
      if (answer.kind === 'session_lost') this.#drop(client);
      return answer;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#drop(client);
      return { kind: 'session_lost' };
    }
  }

  /** The connection for a call. A server that restarts is waited for: nothing was sent to it. */
  async #opened(signal: AbortSignal): Promise<McpClient> {
    const { clock } = this.#options;
    const until = clock.now() + RESTART_MS;
    for (;;) {
      try {
        return await unlessAborted(this.#open(), signal);
      } catch (error) {
        const link = this.#link;
        const comesBack =
          link.status === 'failed' && !isUnauthorized(error) && link.retryAt < until;
        if (!comesBack) throw error;
        await wait(clock, Math.max(1, link.retryAt - clock.now()), signal);
      }
    }
  }

  /** The open connection, or the one that is being opened, or a new one. */
  #open({ ask = false } = {}): Promise<McpClient> {
    const link = this.#link;
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    if (link.status === 'connecting') return link.opening;
    if (link.status === 'ready') return Promise.resolve(link.client);
    if (link.status === 'failed' && !ask && this.#options.clock.now() < link.retryAt)
      return Promise.reject(link.error);
    const opening = this.#connect(link.status === 'failed' ? link.failures : 0, ask);
    opening.catch(() => undefined);
    this.#link = { status: 'connecting', opening, isFirst: link.status === 'idle' };
    return opening;
  }

  async #connect(failures: number, ask: boolean): Promise<McpClient> {
    const late = new AbortController();
    const stop = this.#options.clock.schedule(
      () => late.abort(new Error(`no answer in ${this.#connectMs / 1_000} s`)),
      this.#connectMs,
    );
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    let client: McpClient | undefined;
    let isLost = false;
    try {
      const { auth } = this.#options;
      if (!ask && auth !== undefined && !(await auth.isReady()))
        throw authorizationRequired(this.name);
      client = await this.#options.connect({
        name: this.name,
        config: this.config,
        auth,
        signal,
        onClosed: () => {
          isLost = true;
          if (client !== undefined) this.#drop(client);
        },
        onToolsChanged: () => {
          const changed = client;
          if (changed !== undefined) this.#listing.whenDue(() => void this.#refresh(changed));
        },
      });
      await this.#list(client, signal);
      if (isLost)
        throw new StewardError('mcp_unavailable', `MCP server "${this.name}" ended at once.`);
      signal.throwIfAborted();
      this.#spoken = { protocolVersion: client.protocolVersion, era: client.era };
      this.#link = { status: 'ready', client };
      return client;
    } catch (error) {
      await client?.close();
      throw this.#failed(StewardError.from(error, 'mcp_unavailable'), failures + 1);
    } finally {
      stop();
    }
  }

  #failed(error: StewardError, failures: number): StewardError {
    if (this.#closing.signal.aborted) return error;
    // Full jitter: many processes that lost the same server do not come back at the same moment.
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
    const retryAt = this.#options.clock.now() + Math.random() * longest;
    this.#link = { status: 'failed', error, failures, retryAt };
    return error;
  }

  /** A listing that fails costs the connection: opening the next one lists again. */
  async #refresh(client: McpClient): Promise<void> {
    await this.#list(client, this.#inTime()).catch(() => this.#drop(client));
  }

  #list(client: McpClient, signal: AbortSignal): Promise<void> {
    return this.#listing.take(this.#options.route ?? this, client, signal);
  }

  #drop(client: McpClient): void {
    if (this.#link.status !== 'ready' || this.#link.client !== client) return;
    this.#link = { status: 'closed' };
    client.close().catch(() => undefined);
  }
}

const isUnauthorized = (error: unknown): boolean =>
  error instanceof StewardError && error.code === 'authorization_required';

const isUnavailable = (error: unknown): boolean =>
  error instanceof StewardError && error.code === 'mcp_unavailable';

/** What is awaited for a call ends with it; the connection is opened all the same, for the next one. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
