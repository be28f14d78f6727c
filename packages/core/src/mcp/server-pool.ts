import { StewardError } from '../errors/steward-error.ts';
import type { Principal } from '../tools/tool.ts';
import type { ServerPoolOptions } from './open-servers.ts';
import type { McpServerConfig } from './server-config.ts';
import type { ServerEntry } from './server-entry.ts';
import type { ServerState } from './server-state.ts';

/**
 * The MCP servers of an assistant: opened when first needed, ended with the assistant. What speaks with them is loaded with
 * the first connection: most assistants have no server.
 */
export class ServerPool {
  readonly #configs: ReadonlyMap<string, McpServerConfig>;
  readonly #options: ServerPoolOptions;
  #loading: Promise<ReadonlyMap<string, ServerEntry>> | undefined;
  #servers: ReadonlyMap<string, ServerEntry> | undefined;
  #isClosed = false;

  constructor(configs: ReadonlyMap<string, McpServerConfig>, options: ServerPoolOptions) {
    this.#configs = configs;
    this.#options = options;
  }

  /** Connects to servers that are not connected. Waits for those that never were; never throws. */
  prepare(principal: Principal): Promise<void> | undefined {
    // Most runs have none, and wait for nothing.
    return this.#configs.size === 0 || this.#isClosed ? undefined : this.#prepare(principal);
  }

  async #prepare(principal: Principal): Promise<void> {
    const servers = [...(await this.#load()).values()];
    await Promise.all(servers.map((server) => server.prepare(principal)));
  }

  /** How each server is for this user, in the order of the configuration. */
  servers(principal: Principal): readonly ServerState[] {
    return [...this.#configs.keys()].map(
      (name) => this.#servers?.get(name)?.state(principal) ?? idle(name),
    );
  }

  /** The server of this name. Throws `not_found`. */
  async server(name: string): Promise<ServerEntry> {
    const server = (await this.#load()).get(name);
    if (server === undefined) throw new StewardError('not_found', 'There is no such MCP server.');
    return server;
  }

  /** Ends a sign-in with the address that the browser came back with, which names the server. */
  async finishSignIn(url: string | URL, principal: Principal): Promise<void> {
    if (!URL.canParse(String(url))) {
      throw new TypeError('finishSignIn: url must be the address that the browser came back with');
    }
    const came = new URL(url);
    const [server = ''] = (came.searchParams.get('state') ?? '').split('.');
    await (await this.server(server)).finishSignIn(came, principal);
  }

  /** Ends all connections and child processes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const servers = [...((await this.#loading) ?? new Map<string, ServerEntry>()).values()];
    await Promise.all(servers.map((server) => server.close()));
  }

  async #load(): Promise<ReadonlyMap<string, ServerEntry>> {
    this.#loading ??= import('./open-servers.ts').then(({ openServers }) =>
      openServers(this.#configs, this.#options),
    );
    this.#servers = await this.#loading;
    return this.#servers;
  }
}

/** A server that nobody needed yet. */
function idle(name: string): ServerState {
  return {
    name,
    status: 'idle',
    tools: 0,
    refusedTools: [],
    changedTools: [],
    error: null,
    protocolVersion: null,
    era: null,
  };
}
