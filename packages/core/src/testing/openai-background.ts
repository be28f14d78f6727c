import type { ServerResponse } from 'node:http';
import type { OpenAiReply } from './openai-reply.ts';
import type { OpenAiServerRequest } from './openai-request.ts';
import { responsesWire } from './openai-responses-wire.ts';
import type { Frame } from './openai-wire.ts';
import { finishReasonOf, piecesOf, usageOf } from './turn-content.ts';

/** An answer that the loopback server was asked for in the background (`background: true`). */
export interface BackgroundAnswer {
  readonly responseId: string;
  /** The `starting_after` of each request that read it afterwards; `null` where it had none. */
  readonly readsAfter: readonly (number | null)[];
  readonly isCancelled: boolean;
}

interface Kept extends BackgroundAnswer {
  readonly readsAfter: (number | null)[];
  readonly frames: readonly Frame[];
  isCancelled: boolean;
  isForgotten: boolean;
}

/**
 * The answers in the background: made at once and whole. What goes wrong with the request that asked for one goes wrong
 * with that connection alone.
 */
export class BackgroundAnswers {
  readonly all: Kept[] = [];

  keep({ n, body }: OpenAiServerRequest, reply: OpenAiReply): void {
    if (body['background'] !== true || reply.status !== undefined || reply.raw) return;
    const wire = responsesWire({ n, model: reply.model ?? String(body['model']), body });
    const pieces = piecesOf(reply, `call_${n}`);
    const frames = [...wire.open(pieces[0]), ...pieces.flatMap((piece) => wire.piece(piece))];
    const usage = usageOf(reply, pieces.length);
    frames.push(...wire.close({ finishReason: finishReasonOf(reply), usage }));
    this.all.push({
      responseId: `resp_${n}`,
      readsAfter: [],
      frames,
      isCancelled: false,
      isForgotten: false,
    });
  }

  /** As when the provider's time for keeping them is over. */
  forget(): void {
    for (const kept of this.all) kept.isForgotten = true;
  }

  /** Answers `GET /responses/{id}` and `POST /responses/{id}/cancel`; `false` for any other request. */
  serve(method: string, url: URL, response: ServerResponse): boolean {
    const [, id = '', action] = /\/responses\/([^/]+)(?:\/(cancel))?$/.exec(url.pathname) ?? [];
    const isCancel = method === 'POST' && action === 'cancel';
    if (id === '' || !(isCancel || (method === 'GET' && action === undefined))) return false;
    const kept = this.all.find(({ responseId, isForgotten }) => responseId === id && !isForgotten);
    if (kept === undefined) refuse(response, 404, `Response with id '${id}' not found.`);
    else if (isCancel) cancel(kept, response);
    else read(kept, url, response);
    return true;
  }
}

function cancel(kept: Kept, response: ServerResponse): void {
  kept.isCancelled = true;
  response.writeHead(200, { 'content-type': 'application/json' });
  const { responseId: id } = kept;
  response.end(JSON.stringify({ id, object: 'response', status: 'cancelled', background: true }));
}

function read(kept: Kept, url: URL, response: ServerResponse): void {
  const given = url.searchParams.get('starting_after');
  kept.readsAfter.push(given === null ? null : Number(given));
  if (kept.isCancelled) {
    refuse(response, 400, 'This response was cancelled.');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  // An event's number is its place.
  const rest = given === null ? kept.frames : kept.frames.slice(Number(given) + 1);
  response.end(rest.map(({ event, data }) => `event: ${event}\ndata: ${data}\n\n`).join(''));
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const error = { message, type: 'invalid_request_error', param: null, code: null };
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error }));
}
