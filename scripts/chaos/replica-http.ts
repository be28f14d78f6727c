// The verbs of an assistant over HTTP, and runs as server-sent events; no more than a campaign needs.
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Assistant, type Run, StewardError } from '@steward/core';

/** What clients post. */
export interface StartBody {
  readonly input: string;
  readonly requestId: string;
  readonly conversationId?: string;
  readonly onBusy?: 'refuse' | 'queue' | 'supersede';
}
export interface ConfirmBody {
  readonly callId: string;
  readonly approve: boolean;
  readonly argsDigest: string;
}

interface Request {
  readonly assistant: Assistant;
  readonly userId: string;
  readonly runId: string;
  readonly after: string | undefined;
  readonly body: unknown;
  readonly response: ServerResponse;
}

const keepAliveMs = 500;

/** Paths: `/start`, `/events/RUN?after=CURSOR`, `/confirm/RUN`, `/cancel/RUN`; who asks is in the header `x-user`. */
const verbs: Readonly<Record<string, (request: Request) => Promise<void>>> = {
  start: ({ assistant, userId, body, response }) => {
    const { input, ...options } = body as StartBody;
    return streamRun(assistant.run(input, { ...options, userId }), response);
  },
  events: ({ assistant, userId, runId, after, response }) =>
    streamRun(assistant.attach(runId, { userId, after }), response),
  confirm: async ({ assistant, userId, runId, body, response }) => {
    const { callId, ...decision } = body as ConfirmBody;
    await assistant.confirm(runId, callId, decision, { userId });
    response.writeHead(204).end();
  },
  cancel: async ({ assistant, userId, runId, response }) => {
    await assistant.cancel(runId, { userId });
    response.writeHead(204).end();
  },
};

export function serveAssistant(assistant: Assistant): RequestListener {
  return (incoming, response) => {
    response.on('error', () => {}); // The client left.
    serve(assistant, incoming, response).catch((reason: unknown) => refuse(response, reason));
  };
}

async function serve(assistant: Assistant, incoming: IncomingMessage, response: ServerResponse) {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const [, name = '', runId = ''] = pathname.split('/');
  const verb = verbs[name];
  if (!verb) throw new StewardError('not_found', `There is no verb ${name}.`);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body: unknown = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
  const userId = String(incoming.headers['x-user']);
  const after = searchParams.get('after') ?? undefined;
  await verb({ assistant, userId, runId, after, body, response });
}

function refuse(response: ServerResponse, reason: unknown): void {
  if (response.headersSent) return void response.destroy();
  const { code, detail } = StewardError.from(reason, 'internal');
  const status =
    { not_found: 404, store_unavailable: 503, closed: 503, internal: 500 }[code as string] ?? 409;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ code, message: detail }));
}

/** Comments in between tell a client that waits for a person from one whose server hangs. */
async function streamRun(run: Run, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-run': run.id });
  response.flushHeaders();
  const events = run[Symbol.asyncIterator]();
  response.once('close', () => void events.return?.());
  const alive = setInterval(() => response.write(':\n\n'), keepAliveMs);
  try {
    for await (const event of { [Symbol.asyncIterator]: () => events }) {
      if (response.destroyed) return;
      if (!response.write(`data: ${JSON.stringify(event)}\n\n`)) await drained(response);
    }
    response.end();
  } finally {
    clearInterval(alive);
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await once(response, 'drain', { signal: gone.signal }).catch(() => {});
}
