import { createHash } from 'node:crypto';

/**
 * What of a request is signed, and has to be the same where it arrives.
 *
 * @example
 * ```ts
 * import type { ServiceRequest } from '@steward/core/service-auth';
 *
 * const execute: ServiceRequest = { method: 'POST', path: '/mcp/execute', body: '{"tools":[]}' };
 * ```
 */
export interface ServiceRequest {
  readonly method: string;
  /** Path and query as the server sees them: a proxy between both may not rewrite them. */
  readonly path: string;
  /** The body byte by byte as it is sent; empty unless given. */
  readonly body?: string | Uint8Array | undefined;
}

/**
 * A request to be signed, and in whose name it is made.
 *
 * @example
 * ```ts
 * import type { OutgoingRequest } from '@steward/core/service-auth';
 *
 * const discover: OutgoingRequest = {
 *   method: 'GET',
 *   path: '/mcp/discover',
 *   user: { userId: 'ann', tenantId: 'acme' },
 * };
 * ```
 */
export interface OutgoingRequest extends ServiceRequest {
  /** The user it is made for; the service itself unless given. */
  readonly user?: { readonly userId: string; readonly tenantId?: string | undefined } | undefined;
}

/** SHA-256 of a body, base64url. */
export function bodyDigest(body: string | Uint8Array = ''): string {
  return createHash('sha256').update(body).digest('base64url');
}

/** How long a token is good when nothing else is said, in seconds. */
export const TOKEN_SECONDS = 30;
/** The longest that a token may be good. */
export const MAX_TOKEN_SECONDS = 300;
/** What is shorter can be guessed. */
export const MIN_SECRET_BYTES = 32;
