import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Assistant, type Run, StewardError } from '@steward/core';
import { z } from 'zod';
import { type loadAssets, sendAsset } from './assets.ts';
import { sendEvents } from './event-stream.ts';
import { cameFromElsewhere, knownUser, newUser } from './guard.ts';
import { listConversations, readConversation } from './history.ts';
import { HttpError, readJson, send, sendJson } from './http.ts';
import type { ModelChoice } from './model-choice.ts';
import type { Outbox } from './outbox.ts';
import { chatPage } from './page.ts';

/** What the routes work with. */
export interface RouteContext {
  readonly assistant: Assistant;
  readonly outbox: Outbox;
  readonly choice: ModelChoice;
  readonly assets: ReturnType<typeof loadAssets>;
  readonly heartbeatMs: number;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

interface Exchange extends RouteContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The groups of the path's pattern. */
  readonly path: Readonly<Record<string, string>>;
}

type Handler = (exchange: Exchange) => void | Promise<void>;

const id = '[A-Za-z0-9._-]{1,128}';
const route = (method: string, path: string, handle: Handler) => ({
  method,
  pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, `(?<$1>${id})`)}$`),
  handle,
});

const routes = [
  route('GET', '/', showPage),
  route('GET', '/c/:conversationId', showPage),
  route('GET', '/health', ({ response }) => sendJson(response, 200, { status: 'ok' })),
  route('GET', '/assets/:name', ({ assets, path, request, response }) =>
    sendAsset(assets, path['name'] ?? '', request, response),
  ),
  route('GET', '/api/side', ({ assistant, outbox, request, response }) =>
    sendJson(response, 200, { mails: outbox.list(userOf(request)), servers: assistant.servers() }),
  ),
  route('POST', '/api/runs', startRun),
  route('GET', '/api/runs/:runId/events', streamRun),
  route('POST', '/api/runs/:runId/cancel', cancelRun),
  route('POST', '/api/runs/:runId/calls/:callId/decision', decide),
  route('POST', '/api/runs/:runId/questions/:requestId/answer', answerQuestion),
];

/** Finds the route of a request and follows it. */
export async function handle(
  context: RouteContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  if (!url) throw new HttpError(400, 'invalid_argument', 'The address cannot be read', 'url');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const there = routes.filter(({ pattern }) => pattern.test(url.pathname));
  const found = there.find((candidate) => candidate.method === method);
  if (!found && there.length > 0) {
    throw new HttpError(405, 'method_not_allowed', `${method} is not possible here`);
  }
  if (!found) throw new HttpError(404, 'not_found', 'There is no such page');
  const path = found.pattern.exec(url.pathname)?.groups ?? {};
  await found.handle({ ...context, request, response, url, path });
}

async function showPage(exchange: Exchange): Promise<void> {
  const { assistant, outbox, choice, request, response, path } = exchange;
  const known = knownUser(request);
  if (known === undefined && cameFromElsewhere(request)) {
    send(response, 200, 'text/html', '<!doctype html><meta http-equiv="refresh" content="0">');
    return;
  }
  const userId = known ?? newUser(response);
  const conversationId = path['conversationId'] ?? randomUUID();
  const [runs, conversations] = await Promise.all([
    readConversation(assistant, userId, conversationId),
    listConversations(assistant, userId),
  ]);
  const mails = outbox.list(userId);
  const servers = assistant.servers();
  const page = chatPage({ conversationId, runs, conversations, mails, servers, choice });
  send(response, 200, 'text/html', page);
}

const newRun = z.strictObject({
  conversationId: z.string().regex(new RegExp(`^${id}$`)),
  requestId: z.uuid(),
  text: z.string().trim().min(1).max(16_000),
});

async function startRun({ assistant, request, response }: Exchange): Promise<void> {
  const userId = userOf(request);
  const { text, ...options } = await readJson(request, newRun);
  const run = assistant.run(text, { ...options, userId });
  await requireAccepted(run);
  sendJson(response, 201, { runId: run.id });
}

/** A run begins with `run_started`; one that was refused has nothing but an error. */
async function requireAccepted(run: Run): Promise<void> {
  const events = run[Symbol.asyncIterator]();
  const { value: first } = await events.next();
  await events.return?.();
  if (first?.type === 'error') throw new StewardError(first.code, first.message);
}

async function streamRun(exchange: Exchange): Promise<void> {
  const { assistant, request, response, url, path, heartbeatMs, closing } = exchange;
  const userId = userOf(request);
  const runId = path['runId'] ?? '';
  const record = await assistant.stores.runs.load(runId, { tenantId: 'default', userId });
  if (!record) throw new HttpError(404, 'not_found', 'There is no such run', 'runId');
  const after = request.headers['last-event-id'] ?? url.searchParams.get('after') ?? undefined;
  if (record.end && after === record.lastCursor) {
    // The browser has everything: this answer stops it from asking again.
    response.writeHead(204).end();
    return;
  }
  const cursor = typeof after === 'string' && after !== '' ? { after } : {};
  const run = assistant.attach(runId, { ...cursor, userId });
  await sendEvents(response, run, { heartbeatMs, signal: closing });
}

async function cancelRun({ assistant, request, response, path }: Exchange): Promise<void> {
  const userId = userOf(request);
  await readJson(request, z.strictObject({}));
  await assistant.cancel(path['runId'] ?? '', { userId });
  sendJson(response, 202, {});
}

const decision = z.strictObject({ approve: z.boolean(), argsDigest: z.string().min(1).max(200) });

async function decide({ assistant, request, response, path }: Exchange): Promise<void> {
  const userId = userOf(request);
  const decided = await readJson(request, decision);
  await assistant.confirm(path['runId'] ?? '', path['callId'] ?? '', decided, { userId });
  sendJson(response, 200, {});
}

const answer = z.strictObject({ content: z.json() });

async function answerQuestion({ assistant, request, response, path }: Exchange): Promise<void> {
  const userId = userOf(request);
  const { content } = await readJson(request, answer);
  await assistant.answer(path['runId'] ?? '', path['requestId'] ?? '', content, { userId });
  sendJson(response, 200, {});
}

function userOf(request: IncomingMessage): string {
  const userId = knownUser(request);
  if (userId !== undefined) return userId;
  throw new HttpError(401, 'no_session', 'Open the page first; cookies must be allowed', 'cookie');
}
