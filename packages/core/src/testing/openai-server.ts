import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from '../internal/json.ts';
import { answer } from './openai-answer.ts';
import { type BackgroundAnswer, BackgroundAnswers } from './openai-background.ts';
import { type OpenAiReply, requireReply } from './openai-reply.ts';
import type { OpenAiServerRequest } from './openai-request.ts';

/** Makes the answer to a request. */
export type OpenAiReplyFunction = (
  request: OpenAiServerRequest,
) => OpenAiReply | Promise<OpenAiReply>;

/** Settings of {@link startOpenAiServer}. */
export interface OpenAiServerOptions {
  /** The answers: a list, one for each request in order, or a function. */
  readonly reply: readonly OpenAiReply[] | OpenAiReplyFunction;
}

/** A running loopback server. */
export interface OpenAiServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123/v1`; what clients call `baseURL`. */
  readonly baseURL: string;
  /** Every request so far, in order. */
  readonly requests: readonly OpenAiServerRequest[];
  /** Every answer that was asked for in the background, in order. */
  readonly background: readonly BackgroundAnswer[];
  /** Answers those who ask for one of them with status 404 from now on, as a provider does after some time. */
  forgetBackground(): void;
  /** Ends all connections and refuses new ones (`ECONNREFUSED`) until `acceptConnections`. */
  refuseConnections(): Promise<void>;
  /** Listens again, on the same port. */
  acceptConnections(): Promise<void>;
  /** Ends everything at once, also answers that stall. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * A server on 127.0.0.1 that speaks OpenAI's Chat Completions and Responses, as JSON and as a stream, and that goes
 * wrong as told: late, slow, stalled, cut, sliced, malformed, endless, refused. Use it where the real HTTP client shall
 * be part of the test; use {@link scriptedModel} where it need not. A request past the end of the list is answered with
 * status 400 and the code `script_exhausted`. Answers in the background (`background: true`) are kept, and can be read
 * (`GET /responses/{id}?stream=true&starting_after=N`) and cancelled. A mistake in a reply is a `TypeError` that names the field.
 *
 * @see {@link https://platform.openai.com/docs/api-reference}
 *
 * @example
 * ```ts
 * import { startOpenAiServer } from '@steward/core/testing';
 *
 * await using server = await startOpenAiServer({
 *   reply: [{ status: 429, retryAfter: 1 }, { text: 'Hello there', slice: 1 }],
 * });
 * console.log(server.baseURL, server.requests.length);
 * ```
 */
export async function startOpenAiServer(options: OpenAiServerOptions): Promise<OpenAiServer> {
  const { reply } = options;
  if (typeof reply !== 'function') checkReplies(reply);
  const requests: OpenAiServerRequest[] = [];
  const background = new BackgroundAnswers();

  async function replyTo(request: OpenAiServerRequest): Promise<OpenAiReply> {
    if (typeof reply !== 'function')
      return reply[request.n - 1] ?? exhausted(request, reply.length);
    const made = await reply(request);
    requireReply(made, `the reply to request ${request.n}`);
    return made;
  }

  const server = createServer((incoming, response) => {
    response.on('error', () => {}); // The client left; `closed` tells.
    serve(incoming, response).catch((reason: unknown) =>
      refuse(response, 500, 'reply_threw', text(reason)),
    );
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = outcome(response);
    const path = incoming.url ?? '/';
    const url = new URL(path, 'http://127.0.0.1');
    if (background.serve(incoming.method ?? '', url, response)) return;
    const api = apiOf(url);
    const body = await parsed(incoming);
    if (!api)
      return refuse(response, 404, 'unknown_url', `No such path here: ${incoming.method} ${path}`);
    if (!body)
      return refuse(response, 400, 'invalid_json', 'The body of the request is not a JSON object.');
    const { headers } = incoming;
    const stream = body['stream'] === true;
    const request = { n: requests.length + 1, api, path, headers, body, stream, closed };
    requests.push(request);
    const made = await replyTo(request);
    background.keep(request, made);
    await answer(request, made, response);
  }

  const port = await listen(server, 0);
  const stop = () => end(server);
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    requests,
    background: background.all,
    forgetBackground: () => background.forget(),
    refuseConnections: stop,
    async acceptConnections() {
      if (!server.listening) await listen(server, port);
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function end(server: Server): Promise<void> {
  if (!server.listening) return;
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
}

function checkReplies(replies: readonly OpenAiReply[]): void {
  if (!Array.isArray(replies))
    throw new TypeError('reply must be an array of replies or a function');
  replies.forEach((reply, index) => {
    requireReply(reply, `reply[${index}]`);
  });
}

function exhausted({ n }: OpenAiServerRequest, replies: number): OpenAiReply {
  const message = `startOpenAiServer: request ${n} came, but there are ${replies} replies.`;
  return { status: 400, error: { message, type: 'loopback_server', code: 'script_exhausted' } };
}

function apiOf({ pathname }: URL): 'chat' | 'responses' | undefined {
  if (pathname.endsWith('/chat/completions')) return 'chat';
  return pathname.endsWith('/responses') ? 'responses' : undefined;
}

async function parsed(incoming: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function outcome(response: ServerResponse): Promise<'answered' | 'left'> {
  return new Promise((resolve) => {
    response.once('close', () => resolve(response.writableFinished ? 'answered' : 'left'));
  });
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'loopback_server', param: null, code } }));
}

function text(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}
