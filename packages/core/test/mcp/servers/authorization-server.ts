import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { answer, listen } from './http-server.ts';
import { makeServer } from './tools.ts';

/** What a test may make different. */
export interface AuthorizationOptions {
  readonly authorizationEndpoint?: string;
}

/**
 * A tool server that wants a token of each user, and the authorization server beside it: it registers clients, signs in
 * whoever comes, checks PKCE and renews its tokens, each of which can be used once for that.
 */
export async function protectedServer(options: AuthorizationOptions = {}) {
  const codes = new Map<string, string>();
  const access = new Set<string>();
  const refresh = new Set<string>();
  const seen: string[] = [];
  const ran: string[] = [];
  const handler = createMcpHandler(() => makeServer((line) => ran.push(line)));

  function issueTokens() {
    const tokens = { access_token: randomUUID(), refresh_token: randomUUID() };
    access.add(tokens.access_token);
    refresh.add(tokens.refresh_token);
    return { ...tokens, token_type: 'Bearer', expires_in: 3_600 };
  }

  function exchange(form: URLSearchParams): object | null {
    if (form.get('grant_type') === 'refresh_token') {
      return refresh.delete(form.get('refresh_token') ?? '') ? issueTokens() : null;
    }
    const challenge = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return proof === challenge ? issueTokens() : null;
  }

  const routes: Record<string, (request: IncomingMessage, url: URL) => Promise<object | string>> = {
    '/.well-known/oauth-protected-resource/mcp': async (_, { origin }) => ({
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
    }),
    '/.well-known/oauth-authorization-server': async (_, { origin }) => ({
      issuer: origin,
      authorization_endpoint: options.authorizationEndpoint ?? `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    }),
    '/register': async (request) => {
      const asked = JSON.parse(await text(request)) as { readonly redirect_uris: string[] };
      return { client_id: randomUUID(), redirect_uris: asked.redirect_uris };
    },
    '/authorize': async (_, url) => {
      const code = randomUUID();
      codes.set(code, url.searchParams.get('code_challenge') ?? '');
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      return back.href;
    },
    '/token': async (request) => exchange(new URLSearchParams(await text(request))) ?? {},
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    seen.push(`${url.pathname} ${String(request.headers['x-own'])}`);
    const said = await routes[url.pathname]?.(request, url);
    if (typeof said === 'string') response.writeHead(302, { location: said }).end();
    else if (said !== undefined) {
      const status = Object.keys(said).length === 0 ? 400 : 200;
      const body = status === 200 ? said : { error: 'invalid_grant' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else if (access.has(request.headers.authorization?.slice('Bearer '.length) ?? '')) {
      await answer(handler.fetch, request, response);
    } else response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  }

  const listening = await listen((request, response) => void serve(request, response));
  return {
    ...listening,
    /** The paths that were asked for, each with the header of the host. */
    seen,
    /** What the tools did. */
    ran,
    /** No access token is good any more. */
    expire: () => access.clear(),
    /** No token at all is good any more. */
    revoke: () => {
      access.clear();
      refresh.clear();
    },
  };
}

/** The browser of a user who signs in: the address that it came back with. */
export async function visit(page: string): Promise<string> {
  const response = await fetch(page, { redirect: 'manual' });
  return response.headers.get('location') ?? '';
}
