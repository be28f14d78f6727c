import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { makeServer } from './tools.ts';

/** A listening server of a test, on a port of its own. */
export interface Listening {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

export async function listen(listener: RequestListener, port = 0): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}/mcp`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The fixture over streamable HTTP, both eras. */
export function modernHttp(
  note: (line: string) => void,
  seen: (request: IncomingMessage) => void = () => undefined,
) {
  const serve = modernListener(() => makeServer(note));
  return listen((request, response) => {
    seen(request);
    serve(request, response);
  });
}

export function modernListener(make: () => McpServer): RequestListener {
  const handler = createMcpHandler(make);
  return (request, response) => void answer(handler.fetch, request, response);
}

export async function answer(
  fetch: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  outgoing.on('close', () => left.abort());
  const hasBody = incoming.method === 'POST';
  const response = await fetch(
    new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: incoming.headers as Record<string, string>,
      signal: left.signal,
      ...(hasBody
        ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' as const }
        : {}),
    }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else
    Readable.fromWeb(response.body as never)
      .on('error', () => outgoing.destroy())
      .pipe(outgoing);
}

function oldServer(note: (line: string) => void): OldServer {
  const server = new OldServer({ name: 'old', version: '1.0.0' });
  server.registerTool(
    'append',
    { inputSchema: { line: z.string() } },
    async ({ line }, { _meta }) => {
      note(`append ${line} ${String(_meta?.['steward/idempotencyKey'])}`);
      return { content: [{ type: 'text', text: 'appended' }] };
    },
  );
  server.registerTool(
    'ask',
    { inputSchema: { what: z.string() } },
    async ({ what }, { sendRequest }) => {
      const requestedSchema = {
        type: 'object' as const,
        properties: { a: { type: 'string' as const } },
      };
      const params = { message: what, requestedSchema };
      const answer = await sendRequest(
        { method: 'elicitation/create', params },
        ElicitResultSchema,
      );
      return { content: [{ type: 'text', text: `${what} ${JSON.stringify(answer.content)}` }] };
    },
  );
  server.registerTool('hang', {}, async ({ _meta, sendNotification }) => {
    note('hang started');
    const params = { progressToken: _meta?.progressToken ?? 'none', progress: 1 };
    await sendNotification({ method: 'notifications/progress', params });
    return new Promise(() => undefined);
  });
  return server;
}

/** A server of before 2025: one event stream per session, and an address of its own for what is sent. */
export async function sseHttp(note: (line: string) => void) {
  const { listener, forget } = sseListener(() => oldServer(note));
  return { ...(await listen(listener)), forget };
}

/** What answers the requests of a server, and its loss of memory. */
interface OldListener {
  readonly listener: RequestListener;
  readonly forget: () => void;
}

export function sseListener(make: () => OldServer): OldListener {
  const sessions = new Map<string, SSEServerTransport>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (request.method === 'GET' && url.pathname === '/mcp') {
      const transport = new SSEServerTransport('/messages', response);
      sessions.set(transport.sessionId, transport);
      await make().connect(transport);
      return;
    }
    const session = sessions.get(url.searchParams.get('sessionId') ?? '');
    if (session === undefined || request.method !== 'POST')
      response.writeHead(404).end('no session');
    else await session.handlePostMessage(request, response);
  };
  return {
    listener: (request, response) => void serve(request, response),
    forget: () => sessions.clear(),
  };
}

/** A server with sessions, as they were built before 2026. `forget` is a restart: it knows no session any more. */
export async function oldHttp(note: (line: string) => void) {
  const { listener, forget } = sessionListener(() => oldServer(note));
  return { ...(await listen(listener)), forget };
}

export function sessionListener(make: () => OldServer): OldListener {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await make().connect(transport as never);
    return transport;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : await open();
    if (known === undefined) response.writeHead(404).end('no such session');
    else await known.handleRequest(request, response);
  };
  return {
    listener: (request, response) => void serve(request, response),
    forget: () => sessions.clear(),
  };
}
