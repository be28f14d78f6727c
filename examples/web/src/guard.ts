import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './http.ts';

const cookieName = 'steward_user';
const cookiePattern = new RegExp(`(?:^|;\\s*)${cookieName}=([0-9a-f]{32})(?:;|$)`);

/**
 * Refuses names that this server does not have: a foreign page whose name was rebound to this address sends its own.
 * Refuses writes that do not come from our own page.
 */
export function checkOrigin(request: IncomingMessage, port: number): void {
  const names = ['127.0.0.1', 'localhost'].map((name) => `${name}:${port}`);
  const host = request.headers.host ?? '';
  if (!names.includes(host)) {
    throw new HttpError(421, 'wrong_host', `This server is ${names.join(' or ')}`, 'host');
  }
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  if (request.headers.origin !== `http://${host}` || (site ?? 'same-origin') !== 'same-origin') {
    throw new HttpError(403, 'cross_site', 'Only the page of this server may do that', 'origin');
  }
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json(?:;|$)/i.test(type)) {
    const message = 'Send application/json';
    throw new HttpError(415, 'unsupported_media_type', message, 'content-type');
  }
}

/** The user of this browser, if it has one. There is no log-in: whoever has the cookie is the user. */
export function knownUser(request: IncomingMessage): string | undefined {
  return cookiePattern.exec(request.headers.cookie ?? '')?.[1];
}

/** Gives the browser a user of its own. */
export function newUser(response: ServerResponse): string {
  const userId = randomBytes(16).toString('hex');
  const attributes = 'Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000';
  response.setHeader('set-cookie', `${cookieName}=${userId}; ${attributes}`);
  return userId;
}

/**
 * Whether somebody followed a link on another site to here: then a browser withholds a strict cookie, and a new one would
 * replace it. Asking once more from our own page brings it.
 */
export const cameFromElsewhere = (request: IncomingMessage): boolean =>
  request.headers['sec-fetch-site'] === 'cross-site' &&
  request.headers['sec-fetch-mode'] === 'navigate';
