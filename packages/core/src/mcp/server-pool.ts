import type { Clock } from '../internal/clock.ts';
import type { Tool } from '../tools/tool.ts';
import type { PooledServer, ServerState } from './pooled-server.ts';
import type { McpServerConfig } from './server-config.ts';

/** What a pool needs. */
export interface ServerPoolOptions {
  readonly clock: Clock;
  /** Takes the tools of a server, each time it lists them. What it throws makes the server `failed`. */
  readonly onTools: (server: string, tools: readonly Tool[]) => void;
}

/**
 * The MCP servers of an assistant: one shared connection each, opened when first needed, ended with the assistant. The
 * client is loaded with the first connection: most assistants have no server.
 */
export class ServerPool {
  readonly #configs: ReadonlyMap<string, McpServerConfig>;
  readonly #options: ServerPoolOptions;
  #loading: Promise<readonly PooledServer[]> | undefined;
  #servers: readonly PooledServer[] | undefined;
  #isClosed = false;

  constructor(configs: ReadonlyMap<string, McpServerConfig>, options: ServerPoolOptions) {
    this.#configs = configs;
    this.#options = options;
  }

  /** Connects to servers that are not connected. Waits for those that never were; never throws. */
  async prepare(): Promise<void> {
    if (this.#configs.size === 0 || this.#isClosed) return;
    this.#loading ??= this.#load();
    await Promise.all((await this.#loading).map((server) => server.prepare()));
  }

  /** How each server is, in the order of the configuration. */
  servers(): readonly ServerState[] {
    return this.#servers?.map((server) => server.state()) ?? [...this.#configs.keys()].map(idle);
  }

  /** Ends all connections and child processes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(((await this.#loading) ?? []).map((server) => server.close()));
  }

  async #load(): Promise<readonly PooledServer[]> {
    const { connectNative } = await import('./native-client.ts');
    const { PooledServer } = await import('./pooled-server.ts');
    const options = { ...this.#options, connect: connectNative };
    this.#servers = [...this.#configs].map(
      ([name, config]) => new PooledServer(name, config, options),
    );
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
    error: null,
    protocolVersion: null,
    era: null,
  };
}
