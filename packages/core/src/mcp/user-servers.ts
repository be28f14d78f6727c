import { LRUCache } from 'lru-cache';
import type { CredentialStore } from '../stores/credential-store.ts';
import type { Owner } from '../stores/run-store.ts';
import type { Principal } from '../tools/tool.ts';
import { connectionAuth, finishSignIn } from './connection-auth.ts';
import type { McpAnswer, McpCall } from './mcp-client.ts';
import { PooledServer, type PooledServerOptions } from './pooled-server.ts';
import type { UserAuth } from './server-auth.ts';
import type { HttpServerConfig } from './server-config.ts';
import type { ApprovedTools, ServerEntry } from './server-entry.ts';
import type { PromptArguments, PromptMessage, ServerPrompt } from './server-prompts.ts';
import type { ServerState } from './server-state.ts';

/** Users with an open connection; who was not active for longest connects anew. */
const MAX_USERS = 1_000;

/** A server that is used in the name of each user: a connection per user, opened with the tokens of that user. */
export class UserServers implements ServerEntry {
  readonly name: string;
  readonly config: HttpServerConfig & { readonly auth: UserAuth };
  readonly #options: PooledServerOptions;
  readonly #credentials: CredentialStore;
  readonly #users = new LRUCache<string, PooledServer>({
    max: MAX_USERS,
    dispose: (server) => void server.close(),
  });

  constructor(
    name: string,
    config: HttpServerConfig & { readonly auth: UserAuth },
    options: PooledServerOptions & { readonly credentials: CredentialStore },
  ) {
    this.name = name;
    this.config = config;
    this.#options = options;
    this.#credentials = options.credentials;
  }

  prepare(principal: Principal): Promise<void> {
    return this.#of(principal).prepare();
  }

  state(principal: Principal): ServerState {
    return this.#of(principal).state();
  }

  call(call: McpCall): Promise<Extract<McpAnswer, { kind: 'answered' }>> {
    return this.#of(call.context.principal).call(call);
  }

  signInPage(principal: Principal): Promise<string | null> {
    return this.#of(principal).signInPage();
  }

  prompts(principal: Principal): Promise<readonly ServerPrompt[]> {
    return this.#of(principal).prompts();
  }

  prompt(
    principal: Principal,
    name: string,
    args: PromptArguments,
  ): Promise<readonly PromptMessage[]> {
    return this.#of(principal).prompt(principal, name, args);
  }

  async approve(hashes: ApprovedTools): Promise<void> {
    await this.#options.pins?.approve(hashes);
    await Promise.all([...this.#users.values()].map((server) => server.relist()));
  }

  async finishSignIn(came: URL, principal: Principal): Promise<void> {
    const { name: server, config } = this;
    const owner = ownerOf(principal);
    const options = { server, auth: config.auth, owner, credentials: this.#credentials };
    await finishSignIn(options, config, came);
    this.#of(principal).signedIn();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#users.values()].map((server) => server.close()));
  }

  #of(principal: Principal): PooledServer {
    const owner = ownerOf(principal);
    const key = JSON.stringify([owner.tenantId, owner.userId]);
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    const { name, config } = this;
    const auth = connectionAuth(name, config, { owner, credentials: this.#credentials });
    const opened = new PooledServer(name, config, { ...this.#options, auth, route: this });
    this.#users.set(key, opened);
    return opened;
  }
}

const ownerOf = ({ tenantId = 'default', userId }: Principal): Owner => ({ tenantId, userId });
