import { isIP } from 'node:net';
import {
  ClientCredentialsProvider,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { StewardError } from '../errors/steward-error.ts';
import { defined } from '../internal/defined.ts';
import type { CredentialStore } from '../stores/credential-store.ts';
import type { Owner } from '../stores/run-store.ts';
import { isPublic, publicFetch } from './public-fetch.ts';
import type { ClientAuth } from './server-auth.ts';
import type { HttpServerConfig, McpServerConfig } from './server-config.ts';
import { serverFetch } from './server-fetch.ts';
import { type SignInOptions, UserSignIn } from './user-sign-in.ts';

/** What an authorization server says is short. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** How the requests of one connection prove for whom they are made. */
export interface ConnectionAuth {
  readonly provider: OAuthClientProvider;
  /** What the requests of the connection and of its provider are sent with. */
  over(base: typeof fetch): typeof fetch;
  /** Whether connecting makes sense: without a token of the user it does not. */
  isReady(): Promise<boolean>;
  /** Where the person signs in, once after each request that was refused for lack of it; `null` for the host's own access. */
  page(): string | null;
}

/** What the configuration of a server asks for; `undefined` when its headers are enough. */
export function connectionAuth(
  server: string,
  config: McpServerConfig,
  user: { readonly owner: Owner; readonly credentials: CredentialStore },
): ConnectionAuth | undefined {
  if (!('url' in config) || config.auth === undefined) return undefined;
  if (config.auth.grant === 'client_credentials') {
    const provider = clientProvider(config.auth);
    return { provider, over: (base) => base, isReady: async () => true, page: () => null };
  }
  const provider = new UserSignIn({ server, auth: config.auth, ...user });
  return {
    provider,
    over: (base) => provider.refresh.over(base),
    isReady: async () => (await provider.tokens()) !== undefined,
    page: () => provider.takeUrl(),
  };
}

function clientProvider(auth: ClientAuth): OAuthClientProvider {
  const { clientId, clientSecret, privateKey, algorithm = 'ES256', issuer, scope } = auth;
  const shared = { clientId, clientName: 'Steward', ...defined({ expectedIssuer: issuer, scope }) };
  return privateKey === undefined
    ? new ClientCredentialsProvider({ ...shared, clientSecret: clientSecret ?? '' })
    : new PrivateKeyJwtProvider({ ...shared, privateKey, algorithm });
}

/** Ends the sign-in that the browser came back from; the user's tokens are kept then. */
export async function finishSignIn(
  options: SignInOptions,
  config: HttpServerConfig,
  came: URL,
): Promise<void> {
  const provider = await UserSignIn.resume(options, came.searchParams.get('state') ?? '');
  const transport = new StreamableHTTPClientTransport(new URL(config.url), {
    authProvider: provider,
    fetch: serverFetch({
      maxBytes: MAX_ANSWER_BYTES,
      server: { url: config.url, headers: {} },
      others: fetchForOthers(config),
    }),
  });
  try {
    await transport.finishAuth(came.searchParams);
  } catch (error) {
    const said = error instanceof Error ? error.message.slice(0, 500) : String(error);
    const message = `The sign-in at "${options.server}" did not succeed: ${said}`;
    throw new StewardError('authorization_required', message, { cause: error });
  }
}

/**
 * What the addresses are asked with that a server names for signing in. A server in a private network may name what is in
 * one; a public server may not lead us there.
 */
export function fetchForOthers({ url, auth }: HttpServerConfig): typeof fetch {
  const { hostname } = new URL(url);
  const literal = hostname.replace(/^\[|\]$/g, '');
  const isPrivate = hostname === 'localhost' || (isIP(literal) !== 0 && !isPublic(literal));
  if (isPrivate) return fetch;
  const named = [hostname, ...(auth?.trustedHosts ?? [])];
  if (auth?.issuer !== undefined) named.push(new URL(auth.issuer).hostname);
  const trusted = new Set(named);
  return publicFetch({ isTrusted: (host) => trusted.has(host) });
}
