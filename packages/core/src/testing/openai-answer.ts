import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { BodyOver, type FaultyBody, faultyBody } from './openai-body.ts';
import { chatWire } from './openai-chat-wire.ts';
import type { OpenAiReply } from './openai-reply.ts';
import type { OpenAiServerRequest } from './openai-request.ts';
import { responsesWire } from './openai-responses-wire.ts';
import type { OpenAiWire, WireError } from './openai-wire.ts';
import { finishReasonOf, piecesOf, type TurnPiece, usageOf } from './turn-content.ts';

/** What is being answered, and with what. */
interface Answer {
  readonly request: OpenAiServerRequest;
  readonly reply: OpenAiReply;
  readonly response: ServerResponse;
  readonly wire: OpenAiWire;
  readonly pieces: readonly TurnPiece[];
  readonly body: FaultyBody;
}

/** Serves one reply in the API of the request; returns when it is sent, cut, or the client has left. */
export async function answer(
  request: OpenAiServerRequest,
  reply: OpenAiReply,
  response: ServerResponse,
): Promise<void> {
  const { api, n, body } = request;
  const model = reply.model ?? (typeof body['model'] === 'string' ? body['model'] : 'loopback');
  const wire = (api === 'chat' ? chatWire : responsesWire)({ n, model, body });
  const pieces = piecesOf(reply, `call_${n}`);
  try {
    await pause(response, reply.latency?.headers);
    if (reply.drop) return void response.destroy();
    await respond({ request, reply, response, wire, pieces, body: faultyBody(response, reply) });
  } catch (reason) {
    if (!(reason instanceof BodyOver)) throw reason;
  }
}

async function respond(to: Answer): Promise<void> {
  const { request, reply, response } = to;
  if (reply.raw) await sendRaw(to, reply.raw);
  else if (reply.status !== undefined) await sendError(to, reply.status);
  else if (request.stream) await sendStream(to);
  else await sendJson(to);
  response.end();
}

async function sendRaw(
  { request, reply, response, body }: Answer,
  raw: NonNullable<OpenAiReply['raw']>,
): Promise<void> {
  head(response, {
    request,
    reply,
    status: raw.status ?? 200,
    type: raw.contentType ?? eventStream,
  });
  await body.write(raw.body);
}

async function sendError(
  { request, reply, response, body }: Answer,
  status: number,
): Promise<void> {
  head(response, { request, reply, status, type: 'application/json' });
  await body.write(
    JSON.stringify({ error: { ...wireError(reply, status), param: null } }, null, 2),
  );
}

/** Faults that count pieces come before the whole body here: there are no pieces on the wire. */
async function sendJson({ request, reply, response, body, wire, pieces }: Answer): Promise<void> {
  head(response, { request, reply, status: 200, type: 'application/json' });
  await pause(response, reply.latency?.firstPiece);
  for (const piece of pieces) wire.piece(piece);
  const whole = JSON.stringify(
    wire.body({ finishReason: finishReasonOf(reply), usage: usageOf(reply, pieces.length) }),
  );
  if (reply.stallAfter !== undefined) return stall(response);
  if (reply.cutAfter !== undefined) return body.cut();
  const broken = reply.malformedAfter !== undefined || reply.endAfter !== undefined;
  await body.write(broken ? whole.slice(0, -10) : whole);
}

async function sendStream(to: Answer): Promise<void> {
  const { request, reply, response, body, wire, pieces } = to;
  head(response, { request, reply, status: 200, type: eventStream });
  if (reply.hugeLine) await body.write(`: ${'x'.repeat(reply.hugeLine)}\n\n`);
  for (const frame of wire.open(pieces[0])) await body.frame(frame);
  await pause(response, reply.latency?.firstPiece);
  let sent = 0;
  do {
    for (const piece of pieces) if (await sendPiece(piece, sent++, to)) return;
    // Without it an endless answer on a fast connection would keep everything else from running.
    await setImmediate();
  } while (reply.endless);
  if (await faultAt(sent, to, true)) return;
  const ending = { finishReason: finishReasonOf(reply), usage: usageOf(reply, sent) };
  for (const frame of wire.close(ending)) await body.frame(frame);
}

/** True if the body is over: a fault was due instead of the piece. */
async function sendPiece(piece: TurnPiece, sent: number, to: Answer): Promise<boolean> {
  if (await faultAt(sent, to)) return true;
  await pause(to.response, to.reply.latency?.piece);
  for (const frame of to.wire.piece(piece)) await to.body.frame(frame);
  return false;
}

/** Does what is to go wrong after `sent` pieces; true if the body is over with it. */
async function faultAt(sent: number, to: Answer, last = false): Promise<boolean> {
  const { reply, response, body, wire } = to;
  // A fault that lies behind the last piece comes at the end.
  const due = (after: number | undefined) =>
    after === sent || (last && after !== undefined && after > sent);
  if (due(reply.malformedAfter)) await body.frame({ data: brokenJson });
  if (due(reply.stallAfter)) await stall(response);
  if (due(reply.cutAfter)) {
    // What was sent before has to leave first.
    await setImmediate();
    body.cut();
  }
  if (due(reply.errorAfter)) {
    for (const frame of wire.fail(wireError(reply, 500))) await body.frame(frame);
    return true;
  }
  return due(reply.endAfter);
}

const brokenJson = '{"id":"broken","choices":[{"delta":{"con';

const eventStream = 'text/event-stream; charset=utf-8';

function head(
  response: ServerResponse,
  {
    request,
    reply,
    status,
    type,
  }: Pick<Answer, 'request' | 'reply'> & { status: number; type: string },
): void {
  const { retryAfter, headers } = reply;
  response.writeHead(status, {
    'content-type': type,
    'x-request-id': `req_${request.n}`,
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...headers,
  });
  response.flushHeaders();
}

const errorKinds: Readonly<
  Record<number, { readonly type: string; readonly code: string | null }>
> = {
  400: { type: 'invalid_request_error', code: null },
  401: { type: 'invalid_request_error', code: 'invalid_api_key' },
  403: { type: 'invalid_request_error', code: 'unsupported_country_region_territory' },
  404: { type: 'invalid_request_error', code: 'model_not_found' },
  429: { type: 'requests', code: 'rate_limit_exceeded' },
};

function wireError(reply: OpenAiReply, status: number): WireError {
  const { type, code } = errorKinds[status] ?? { type: 'server_error', code: null };
  return {
    message: reply.error?.message ?? `The loopback server was told to answer ${status}.`,
    type: reply.error?.type ?? type,
    code: reply.error?.code === undefined ? code : reply.error.code,
  };
}

/** Waits, unless the client leaves first. */
async function pause(response: ServerResponse, ms: number | undefined): Promise<void> {
  if (!ms) return;
  const left = new AbortController();
  const leave = () => left.abort(new BodyOver());
  response.once('close', leave);
  await setTimeout(ms, undefined, { signal: left.signal }).catch(() => {
    throw new BodyOver();
  });
  response.off('close', leave);
}

/** Sends nothing more until the client leaves. */
async function stall(response: ServerResponse): Promise<never> {
  if (!response.destroyed) await once(response, 'close');
  throw new BodyOver();
}
