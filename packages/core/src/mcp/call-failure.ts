import {
  ProtocolError,
  SdkError,
  SdkHttpError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';

/** Failures of the network that come before a byte of the request was sent. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Failures of the client that come with or after an answer. */
const ANSWERED: ReadonlySet<string> = new Set([
  'INVALID_RESULT',
  'UNSUPPORTED_RESULT_TYPE',
  'INPUT_REQUIRED_ROUNDS_EXCEEDED',
  'CLIENT_HTTP_UNEXPECTED_CONTENT',
]);

/** What a failed call means; `session_lost` proves that nothing ran. */
export function callFailure(error: unknown, server: string): StewardError | 'session_lost' {
  if (error instanceof StewardError) return error;
  if (causes(error).some((cause) => cause instanceof UnauthorizedError)) {
    return authorizationRequired(server, error);
  }
  const verdict = judge(error);
  if (verdict === 'session_lost') return verdict;
  const said = error instanceof Error ? error.message : String(error);
  return new StewardError(verdict, `MCP server "${server}": ${said.slice(0, 1_000)}`, {
    cause: error,
  });
}

/** The user has to sign in first. Nothing ran: the server refused the request. */
export function authorizationRequired(server: string, cause?: unknown): StewardError {
  const message = `MCP server "${server}" is used in the user's name: the user has to sign in there first.`;
  return new StewardError('authorization_required', message, { cause });
}

/** An error and what caused it. */
export function causes(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < 5; at = at.cause) found.push(at);
  return found;
}

function judge(error: unknown): ErrorCode | 'session_lost' {
  if (error instanceof ProtocolError) return 'mcp_failed';
  if (error instanceof SdkHttpError) return judgeStatus(error.status, error.message);
  if (error instanceof SdkError) {
    if (error.code === 'NOT_CONNECTED') return 'mcp_unavailable';
    return ANSWERED.has(error.code) ? 'mcp_failed' : 'outcome_unknown';
  }
  const status = /\(HTTP (\d{3})\)/.exec(error instanceof Error ? error.message : '')?.[1];
  // The SSE transport says the status only in words.
  if (status !== undefined) return judgeStatus(Number(status), String(error));
  return neverSent(error) ? 'mcp_unavailable' : 'outcome_unknown';
}

/** What is refused with a 4xx did not run. A 5xx may come from a proxy behind which the call still runs. */
function judgeStatus(status: number, message: string): ErrorCode | 'session_lost' {
  if (status === 404 || (status === 400 && /session/i.test(message))) return 'session_lost';
  if (status === 429) return 'rate_limited';
  return status >= 400 && status < 500 ? 'mcp_failed' : 'outcome_unknown';
}

function neverSent(error: unknown): boolean {
  return causes(error).some((at) => {
    if ('code' in at && typeof at.code === 'string' && NEVER_SENT.has(at.code)) return true;
    return at instanceof AggregateError && at.errors.every(neverSent);
  });
}
