import { randomUUID } from 'node:crypto';
import {
  type AuthInfo,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import { EventHistory } from './event-history.ts';

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly owner: string;
}

const MAX_SESSIONS = 1_000;
const IDLE_MS = 60 * 60 * 1_000;
/** After how long a client asks again for a stream that was cut. */
const RETRY_MS = 1_000;

/** The sessions of clients that speak revisions up to 2025-11-25. Each belongs to the caller that opened it. */
export class LegacySessions {
  readonly #make: () => Promise<McpServer>;
  readonly #sessions = new LRUCache<string, Session>({
    max: MAX_SESSIONS,
    ttl: IDLE_MS,
    updateAgeOnGet: true,
    ttlAutopurge: true,
    dispose: ({ transport }) => void transport.close(),
  });

  constructor(make: () => Promise<McpServer>) {
    this.#make = make;
  }

  async fetch(
    request: Request,
    owner: string,
    given: { readonly authInfo: AuthInfo; readonly parsedBody?: unknown },
  ): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return (await this.#open(owner)).handleRequest(request, given);
    const session = this.#sessions.get(id);
    if (session === undefined || session.owner !== owner) return noSession();
    return session.transport.handleRequest(request, given);
  }

  close(): void {
    this.#sessions.clear();
  }

  /** Kept when the client has said `initialize`; anything else is refused by the transport, which is then forgotten. */
  async #open(owner: string): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.#sessions.set(id, { transport, owner }),
      onsessionclosed: (id) => void this.#sessions.delete(id),
      eventStore: new EventHistory(),
      retryInterval: RETRY_MS,
    });
    await (await this.#make()).connect(transport);
    return transport;
  }
}

/** As the standard wants it: the client opens another one. */
function noSession(): Response {
  const error = { code: -32_001, message: 'Session not found' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 });
}
