import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request as a server saw it. */
interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly json: Record<string, unknown>;
}

/** Answers one request, or leaves it open. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void;

/** A server on loopback for the length of one test. */
export interface Loopback {
  readonly baseURL: string;
  readonly server: Server;
  readonly seen: SeenRequest[];
}

/** Starts a server that answers every request the same way. */
export async function loopback(answer: Answer): Promise<Loopback> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      const { url = '', headers } = request;
      const one = { path: url, headers, body, json: JSON.parse(body) as Record<string, unknown> };
      seen.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { baseURL: `http://127.0.0.1:${port}/v1`, server, seen };
}

/** Answers with these events as an event stream. */
export function sse(...events: readonly (object | string)[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });
    response.end(frames(...events));
  };
}

/** Events as they are on the wire; a string is sent as it is. */
export function frames(...events: readonly (object | string)[]): string {
  return events
    .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
    .join('');
}

/** A chunk of Chat Completions with this delta. */
export function chatDelta(delta: object, finish: string | null = null): object {
  return { id: 'chat_1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** The end of a Responses stream with this output. */
export function completed(output: readonly object[], more: object = {}): object {
  return {
    type: 'response.completed',
    response: { id: 'resp_1', model: 'm', status: 'completed', output, ...more },
  };
}

/** A message item that says this. */
export function message(text: string): object {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}
