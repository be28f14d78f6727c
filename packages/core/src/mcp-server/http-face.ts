import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  type McpServer,
  type McpServerFactory,
  originValidationResponse,
  readRequestBody,
} from '@modelcontextprotocol/server';
import { StewardError } from '../errors/steward-error.ts';
import type { Authenticate } from './authenticator.ts';
import { LegacySessions } from './legacy-sessions.ts';
import { discovery, executeEnvelope, type RestFaceOptions } from './rest-face.ts';
import type { Caller } from './server-calls.ts';
import type { ServerMetrics } from './server-metrics.ts';

/** What the HTTP side of a server needs. */
export interface HttpFaceOptions extends RestFaceOptions {
  readonly factory: McpServerFactory;
  readonly metrics: ServerMetrics;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxRequestBytes: number;
  readonly isHealthy: () => Promise<boolean>;
  readonly authenticate: Authenticate;
}

type Route = 'mcp' | 'discover' | 'execute' | 'health' | 'metrics';

const ROUTES: Readonly<Record<string, readonly [Route, ...(readonly string[])]>> = {
  '/mcp': ['mcp', 'GET', 'POST', 'DELETE'],
  '/mcp/discover': ['discover', 'GET'],
  '/.well-known/mcp': ['discover', 'GET'],
  '/mcp/execute': ['execute', 'POST'],
  '/health': ['health', 'GET'],
  '/metrics': ['metrics', 'GET'],
};

/** All routes of a server. */
export class HttpFace {
  readonly #options: HttpFaceOptions;
  readonly #modern: ReturnType<typeof createMcpHandler>;
  readonly #sessions: LegacySessions;
  #isClosed = false;

  constructor(options: HttpFaceOptions) {
    this.#options = options;
    const { factory, maxRequestBytes } = options;
    this.#modern = createMcpHandler(factory, {
      legacy: 'reject',
      maxRequestBodySize: maxRequestBytes,
    });
    this.#sessions = new LegacySessions(
      async () => (await factory({ era: 'legacy' })) as McpServer,
    );
  }

  /** Answers a request; `socket` is the connection that it came on, where there is one. */
  async fetch(request: Request, socket?: unknown): Promise<Response> {
    const { pathname } = new URL(request.url);
    const known = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
    const [route, ...methods] = known ?? ['mcp'];
    const response =
      known === undefined
        ? problem(404, 'not_found', 'There is no such path.')
        : await this.#answer(route, methods, { request, socket });
    this.#options.metrics.request(known === undefined ? 'unknown' : route, response.status);
    return response;
  }

  /** Says to every client that listens that the tools have changed. */
  toolsChanged(): void {
    this.#modern.notify.toolsChanged();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sessions.close();
    await this.#modern.close();
  }

  async #answer(
    route: Route,
    methods: readonly string[],
    { request, socket }: { readonly request: Request; readonly socket: unknown },
  ): Promise<Response> {
    const { metrics, maxRequestBytes, authenticate } = this.#options;
    if (!methods.includes(request.method))
      return problem(405, 'invalid_argument', 'The path does not take this method.', {
        allow: methods.join(', '),
      });
    // Probes come by address and without a name; what they learn is one word.
    if (route === 'health') return this.#health();
    const rejected = this.#rejected(request);
    if (rejected !== undefined) return rejected;
    if (route === 'metrics') return metrics.response();
    const body = await readRequestBody(request, maxRequestBytes);
    if (body.tooLarge) return problem(413, 'invalid_argument', 'The request is too large.');
    try {
      const caller = await authenticate({ request, body: body.text, socket });
      return await this.#served(route, { request, body: body.text, caller });
    } catch (error) {
      const { code } = StewardError.from(error, 'internal');
      const isStranger = code === 'unauthenticated';
      const said = isStranger ? 'Say who you are.' : 'Something in the server failed.';
      const challenge = { 'www-authenticate': 'Bearer' };
      return isStranger ? problem(401, code, said, challenge) : problem(500, code, said);
    }
  }

  #rejected(request: Request): Response | undefined {
    const { allowedHosts, allowedOrigins } = this.#options;
    return (
      hostHeaderValidationResponse(request, [...allowedHosts]) ??
      originValidationResponse(request, [...allowedOrigins])
    );
  }

  async #health(): Promise<Response> {
    const isHealthy = !this.#isClosed && (await this.#options.isHealthy().catch(() => false));
    return isHealthy
      ? Response.json({ status: 'ok' })
      : Response.json({ status: 'unavailable' }, { status: 503 });
  }

  async #served(route: Route, asked: Asked): Promise<Response> {
    if (route === 'discover') return discovery(this.#options);
    if (route === 'mcp') return this.#native(asked);
    const type = asked.request.headers.get('content-type') ?? '';
    if (!/^application\/json\s*(;|$)/i.test(type))
      return problem(415, 'invalid_argument', 'The body must be application/json.');
    return executeEnvelope(asked.body, asked.caller, this.#options);
  }

  async #native({ request, body, caller }: Asked): Promise<Response> {
    // Its body was read to check who sent it.
    const again = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      signal: request.signal,
      ...(request.method === 'POST' ? { body } : {}),
    });
    const authInfo = { token: '', clientId: caller.service, scopes: [], extra: { caller } };
    if (!(await isLegacyRequest(again))) return this.#modern.fetch(again, { authInfo });
    return this.#sessions.fetch(again, JSON.stringify(caller), { authInfo });
  }
}

/** A request that was read, of a caller who is known. */
interface Asked {
  readonly request: Request;
  readonly body: string;
  readonly caller: Caller;
}

function problem(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const body = { requestId: null, successful: false, data: null, error: { code, message } };
  return Response.json(body, { status, headers });
}
