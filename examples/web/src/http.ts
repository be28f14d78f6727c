import type { IncomingMessage, ServerResponse } from 'node:http';
import { StewardError } from '@steward/core';
import type { z } from 'zod';
import { html } from '../public/html.js';

/** An answer that is not the one hoped for. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

const maxBodyBytes = 64 * 1024;

// The page runs its own files and nothing else; nobody may frame it; forms and links leave no trace of where they were.
const securityHeaders = {
  'content-security-policy':
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
}

export function send(
  response: ServerResponse,
  status: number,
  type: 'application/json' | 'text/html',
  body: string,
): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

export const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, 'application/json', JSON.stringify(body));

/** Reads a body of bounded size and checks it; what is wrong is told with the field's name. */
export async function readJson<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const tooLarge = new HttpError(413, 'too_large', `The body is larger than ${maxBodyBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw tooLarge;
    chunks.push(chunk);
  }
  const checked = schema.safeParse(parse(Buffer.concat(chunks).toString('utf8')));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const field = issue?.path.join('.') || 'body';
  throw new HttpError(400, 'invalid_argument', `${field}: ${issue?.message ?? 'invalid'}`, field);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, 'invalid_argument', 'body: not JSON', 'body');
  }
}

const statuses: { readonly [code: string]: number } = {
  already_decided: 409,
  args_mismatch: 409,
  confirmation_expired: 410,
  conversation_busy: 409,
  closed: 503,
  invalid_argument: 400,
  not_found: 404,
  not_waiting: 409,
  queue_full: 429,
  rate_limited: 429,
  request_conflict: 409,
};

/** Tells the caller what is wrong, a person in words; never a stack, and nothing of an unexpected error. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  reason: unknown,
): void {
  const { status, code, message, field } = describe(reason);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // An unread body would be taken for the next request.
  if (status === 413) response.setHeader('connection', 'close');
  if (request.headers['sec-fetch-mode'] === 'navigate') {
    send(response, status, 'text/html', errorPage(message));
    return;
  }
  sendJson(response, status, { code, message, ...(field === undefined ? {} : { field }) });
}

const errorPage = (message: string): string =>
  html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Steward</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/style.css"></head>
<body class="alone"><h1>${message}</h1><p><a href="/">Go to the chat</a></p></body>
</html>`.markup;

function describe(reason: unknown): Pick<HttpError, 'status' | 'code' | 'message' | 'field'> {
  if (reason instanceof HttpError) return reason;
  if (reason instanceof StewardError) {
    const { code, detail, field } = reason;
    return { status: statuses[code] ?? 500, code, message: detail, field };
  }
  console.error(reason);
  return { status: 500, code: 'internal', message: 'Something went wrong here', field: undefined };
}
