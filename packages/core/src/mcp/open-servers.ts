import type { Clock } from '../internal/clock.ts';
import type { BreakerStore } from '../stores/breaker-store.ts';
import type { CredentialStore } from '../stores/credential-store.ts';
import { inProcessCredentialStore } from '../stores/in-process/in-process-credential-store.ts';
import type { ToolServerStore } from '../stores/tool-server-store.ts';
import type { Tool } from '../tools/tool.ts';
import { CallGuard } from './call-guard.ts';
import { connectionAuth } from './connection-auth.ts';
import type { McpClient } from './mcp-client.ts';
import { type ConnectOptions, connectNative } from './native-client.ts';
import { PooledServer } from './pooled-server.ts';
import { connectRest } from './rest-client.ts';
import type { UserAuth } from './server-auth.ts';
import type { HttpServerConfig, McpServerConfig } from './server-config.ts';
import type { ServerEntry } from './server-entry.ts';
import { ToolPins } from './tool-pins.ts';
import { UserServers } from './user-servers.ts';

/** Calls at the same time to one server. A call that waits for a person is one of them. */
const MAX_PARALLEL_CALLS = 128;

/** What a pool needs. */
export interface ServerPoolOptions {
  readonly clock: Clock;
  /** Takes the tools of a server, each time it lists them. What it throws makes the server `failed`. */
  readonly onTools: (server: string, tools: readonly Tool[]) => void;
  /** What is known of the tools of servers. */
  readonly toolServers: ToolServerStore;
  /** What is known of servers that do not work. */
  readonly breakers: BreakerStore;
  /** Where the tokens of users are kept; in this process unless given. */
  readonly credentials?: CredentialStore | undefined;
}

/** The servers of a pool, none of them connected yet. */
export function openServers(
  configs: ReadonlyMap<string, McpServerConfig>,
  options: ServerPoolOptions,
): ReadonlyMap<string, ServerEntry> {
  const { credentials = inProcessCredentialStore() } = options;
  const shared = { ...options, connect, credentials };
  const host = { owner: { tenantId: '', userId: '' }, credentials };
  const open = (name: string, config: McpServerConfig): ServerEntry => {
    const { maxParallelCalls = MAX_PARALLEL_CALLS } = config;
    const guard = new CallGuard({ server: name, breakers: options.breakers, maxParallelCalls });
    const pins = config.trusted === true ? null : new ToolPins(name, options.toolServers);
    const own = { ...shared, guard, pins };
    return isUsers(config)
      ? new UserServers(name, config, own)
      : new PooledServer(name, config, { ...own, auth: connectionAuth(name, config, host) });
  };
  return new Map([...configs].map(([name, config]) => [name, open(name, config)]));
}

function connect(options: ConnectOptions): Promise<McpClient> {
  const { config } = options;
  return 'rest' in config ? connectRest(config, options) : connectNative({ ...options, config });
}

function isUsers(
  config: McpServerConfig,
): config is HttpServerConfig & { readonly auth: UserAuth } {
  return 'url' in config && config.auth?.grant === 'authorization_code';
}
