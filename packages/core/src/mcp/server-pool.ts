import type { Clock } from '../internal/clock.ts';
import type { Tool } from '../tools/tool.ts';
import { PooledServer, type PooledServerOptions, type ServerState } from './pooled-server.ts';
import type { McpServerConfig } from './server-config.ts';

/** What a pool needs. */
export interface ServerPoolOptions {
  readonly clock: Clock;
  /** Takes the tools of a server, each time it lists them. What it throws makes the server `failed`. */
  readonly onTools: (server: string, tools: readonly Tool[]) => void;
}

/** The MCP servers of an assistant: one shared connection each, opened when first needed, ended with the assistant. */
export class ServerPool {
  readonly #servers: readonly PooledServer[];

  constructor(
    configs: ReadonlyMap<string, McpServerConfig>,
    { clock, onTools }: ServerPoolOptions,
  ) {
    const options = { clock, onTools, connect };
    this.#servers = [...configs].map(([name, config]) => new PooledServer(name, config, options));
  }

  /** Connects to servers that are not connected. Waits for those that never were; never throws. */
  async prepare(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.prepare()));
  }

  /** How each server is, in the order of the configuration. */
  servers(): readonly ServerState[] {
    return this.#servers.map((server) => server.state());
  }

  /** Ends all connections and child processes. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** Loads the client with the first connection: most assistants have no server. */
const connect: PooledServerOptions['connect'] = async (options) => {
  const { connectNative } = await import('./native-client.ts');
  return connectNative(options);
};
