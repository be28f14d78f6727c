import { hash, randomUUID } from 'node:crypto';
import type {
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { StewardError } from '../errors/steward-error.ts';
import { defined } from '../internal/defined.ts';
import type { Json, JsonObject } from '../internal/json.ts';
import type { CredentialStore } from '../stores/credential-store.ts';
import type { Owner } from '../stores/run-store.ts';
import type { UserAuth } from './server-auth.ts';
import { SharedRefresh } from './shared-refresh.ts';

/** Whose sign-in at which server, and where what comes of it is kept. */
export interface SignInOptions {
  readonly server: string;
  readonly auth: UserAuth;
  readonly owner: Owner;
  readonly credentials: CredentialStore;
}

/** The host's own things are kept for nobody: no user has an empty name. */
const HOST: Owner = { tenantId: '', userId: '' };
/** Pages that a user may have open at once; the oldest is forgotten. */
const MAX_OPEN = 8;

/** What has to be known when the browser comes back, perhaps in another process. */
interface OpenSignIn {
  readonly codeVerifier: string;
  readonly discovery: OAuthDiscoveryState;
}

/**
 * The provider of the client library for one user and one server: tokens and open sign-ins are kept in the credential
 * store. Used to connect, it never waits for a person: it keeps the address of the page, and the request fails.
 */
export class UserSignIn implements OAuthClientProvider {
  readonly clientMetadataUrl?: string;
  /** Not there for a client that was registered beforehand: it must not register anew. */
  readonly saveClientInformation?: NonNullable<OAuthClientProvider['saveClientInformation']>;
  readonly #options: SignInOptions;
  readonly #resumed: OpenSignIn | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  /** Of the requests made with this provider. */
  readonly refresh = new SharedRefresh();
  /** Sign-ins that begin at the same time: each is found again by the hash in its address. */
  readonly #verifiers = new Map<string, string>();
  #url: string | null = null;

  /** `resumed`: the sign-in that the browser came back from. */
  constructor(options: SignInOptions, resumed?: OpenSignIn) {
    this.#options = options;
    this.#resumed = resumed;
    const { clientMetadataUrl, clientId } = options.auth;
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl;
    if (clientId === undefined) this.saveClientInformation = (info) => this.#put('client', info);
  }

  get redirectUrl(): string {
    return this.#options.auth.redirectUrl;
  }

  get clientMetadata() {
    return {
      client_name: 'Steward',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...defined({ scope: this.#options.auth.scope }),
    };
  }

  async clientInformation(): Promise<StoredOAuthClientInformation | undefined> {
    const { clientId, clientSecret, issuer } = this.#options.auth;
    if (clientId === undefined) return this.#get<StoredOAuthClientInformation>('client');
    return { client_id: clientId, ...defined({ client_secret: clientSecret, issuer }) };
  }

  async tokens(): Promise<StoredOAuthTokens | undefined> {
    return this.#get<StoredOAuthTokens>('tokens');
  }

  saveTokens(tokens: StoredOAuthTokens): Promise<void> {
    return this.#put('tokens', tokens);
  }

  state(): string {
    return `${this.#options.server}.${randomUUID()}`;
  }

  saveCodeVerifier(codeVerifier: string): void {
    this.#verifiers.set(hash('sha256', codeVerifier, 'base64url'), codeVerifier);
  }

  codeVerifier(): string {
    return this.#resumed?.codeVerifier ?? '';
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery;
  }

  /** Only a sign-in that goes on trusts what was found before it: otherwise the servers of today count. */
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#resumed?.discovery;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      const message = `MCP server "${this.#options.server}" sends its users to a ${url.protocol} address.`;
      throw new StewardError('mcp_failed', message);
    }
    const challenge = url.searchParams.get('code_challenge') ?? '';
    const codeVerifier = this.#verifiers.get(challenge);
    const discovery = this.#discovery;
    if (codeVerifier === undefined || discovery === undefined) return;
    this.#verifiers.delete(challenge);
    const state = url.searchParams.get('state') ?? '';
    const before = Object.entries((await this.#get<Record<string, Json>>('open')) ?? {});
    const open = [...before.slice(1 - MAX_OPEN), [state, { codeVerifier, discovery }]];
    await this.#put('open', Object.fromEntries(open));
    this.#url = url.href;
  }

  /** Where the person has to go, once after each request that was refused for lack of it. */
  takeUrl(): string | null {
    const url = this.#url;
    this.#url = null;
    return url;
  }

  async invalidateCredentials(
    scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery',
  ): Promise<void> {
    if (scope === 'all' || scope === 'client') await this.#delete('client');
    if (scope !== 'all' && scope !== 'tokens') return;
    // Another process may have refreshed them in the meantime: what it got is good.
    const kept = await this.tokens();
    if (this.refresh.wasRefused(kept?.refresh_token)) await this.#delete('tokens');
  }

  /** The sign-in that the browser came back from, once; throws `not_found` when this user began none. */
  static async resume(options: SignInOptions, state: string): Promise<UserSignIn> {
    const begun = new UserSignIn(options);
    const open = (await begun.#get<Record<string, OpenSignIn>>('open')) ?? {};
    const found = Object.hasOwn(open, state) ? open[state] : undefined;
    if (found === undefined) {
      const message = `No sign-in of this user at "${options.server}" is open; begin a new one.`;
      throw new StewardError('not_found', message);
    }
    const { [state]: _, ...others } = open;
    await begun.#put('open', others);
    return new UserSignIn(options, found);
  }

  async #get<T>(what: string): Promise<T | undefined> {
    const { credentials } = this.#options;
    return (
      ((await credentials.get(this.#ownerOf(what), this.#nameOf(what))) as T | null) ?? undefined
    );
  }

  #put(what: string, secret: object): Promise<void> {
    // As JSON: members that are undefined do not survive a store.
    const json = JSON.parse(JSON.stringify(secret)) as JsonObject;
    return this.#options.credentials.put(this.#ownerOf(what), this.#nameOf(what), json);
  }

  #delete(what: string): Promise<void> {
    return this.#options.credentials.delete(this.#ownerOf(what), this.#nameOf(what));
  }

  /** All users of a server share the registration of the client. */
  #ownerOf(what: string): Owner {
    return what === 'client' ? HOST : this.#options.owner;
  }

  #nameOf(what: string): string {
    return `mcp/${this.#options.server}/${what}`;
  }
}
