import type { ProtocolError, SdkError, SdkHttpError } from '@modelcontextprotocol/client';
import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';

/** The error classes of the MCP client, which is loaded when it is first used. */
export interface ClientErrors {
  readonly ProtocolError: typeof ProtocolError;
  readonly SdkError: typeof SdkError;
  readonly SdkHttpError: typeof SdkHttpError;
}

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
export function callFailure(
  error: unknown,
  server: string,
  errors: ClientErrors,
): StewardError | 'session_lost' {
  if (error instanceof StewardError) return error;
  const verdict = judge(error, errors);
  if (verdict === 'session_lost') return verdict;
  const said = error instanceof Error ? error.message : String(error);
  return new StewardError(verdict, `MCP server "${server}": ${said.slice(0, 1_000)}`, {
    cause: error,
  });
}

function judge(error: unknown, errors: ClientErrors): ErrorCode | 'session_lost' {
  if (error instanceof errors.ProtocolError) return 'mcp_failed';
  if (error instanceof errors.SdkHttpError) return judgeStatus(error.status, error.message);
  if (error instanceof errors.SdkError) {
    if (error.code === 'NOT_CONNECTED') return 'mcp_unavailable';
    return ANSWERED.has(error.code) ? 'mcp_failed' : 'outcome_unknown';
  }
  return neverSent(error) ? 'mcp_unavailable' : 'outcome_unknown';
}

/** What is refused with a 4xx did not run. A 5xx may come from a proxy behind which the call still runs. */
function judgeStatus(status: number, message: string): ErrorCode | 'session_lost' {
  if (status === 404 || (status === 400 && /session/i.test(message))) return 'session_lost';
  if (status === 429) return 'mcp_unavailable';
  return status >= 400 && status < 500 ? 'mcp_failed' : 'outcome_unknown';
}

function neverSent(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && NEVER_SENT.has(at.code)) return true;
    if (at instanceof AggregateError) return at.errors.every(neverSent);
  }
  return false;
}
