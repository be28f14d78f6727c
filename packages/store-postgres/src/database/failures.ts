import { type ErrorCode, StewardError } from '@steward/core';
import { NotSent } from './driver.ts';

/** What our own functions raise. */
const raised: Readonly<Record<string, ErrorCode>> = { ST001: 'fenced', ST002: 'not_found' };

/** The server undid the transaction: whatever it was, it may be tried again. */
const undone = new Set(['40001', '40P01']);

/**
 * Classes of what passes: no connection, no memory, disk or room for one, an operator (or our own timeout, or the end of
 * the server) intervened, the machine failed. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passingClasses = new Set(['08', '53', '57', '58']);

/** It has become a read-only one after a fail-over; a lock was not to be had in time; a session was idle for too long. */
const passing = new Set(['25006', '55P03', '25P03']);

/** What the network says of a server that is away for the moment. */
const lost = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

/** The code of an error of the server (an SQLSTATE) or of the network. */
export function codeOf(reason: unknown): string {
  if (reason instanceof NotSent) return codeOf(reason.cause);
  if (typeof reason !== 'object' || reason === null || !('code' in reason)) return '';
  return String(reason.code);
}

/** Whether the server said this, over a connection that still works. */
export function isFromServer(reason: unknown): boolean {
  const code = codeOf(reason);
  return /^[0-9A-Z]{5}$/.test(code) && !lost.has(code) && !code.startsWith('57P');
}

function isPassing(code: string): boolean {
  return passing.has(code) || passingClasses.has(code.slice(0, 2));
}

/** Whether a statement may be sent again: because it cannot have had an effect, or because it may have it twice. */
export function mayRepeat(reason: unknown, isRepeatable: boolean): boolean {
  const code = codeOf(reason);
  if (undone.has(code)) return true;
  const isAway = isPassing(code) || lost.has(code) || !isFromServer(reason);
  return isAway && (isRepeatable || reason instanceof NotSent);
}

/** The error of a statement, as users of the stores know it. */
export function storeError(reason: unknown): StewardError {
  if (reason instanceof StewardError) return reason;
  const code = codeOf(reason);
  const own = raised[code];
  const message = reason instanceof Error ? reason.message : String(reason);
  if (own !== undefined) return new StewardError(own, message, { cause: reason });
  if (!isFromServer(reason) || isPassing(code) || undone.has(code)) {
    return new StewardError('store_unavailable', `PostgreSQL does not answer: ${message}`, {
      cause: reason,
    });
  }
  return new StewardError('internal', `PostgreSQL refused a statement: ${message} (${code})`, {
    cause: reason,
  });
}
