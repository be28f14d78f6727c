import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';
import type { ModelError } from '../model/model-events.ts';
import type { Limits } from './run-settings.ts';

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'model_unauthorized',
  403: 'model_unauthorized',
  408: 'model_timeout',
  409: 'model_failed',
  429: 'model_rate_limited',
};

/** Codes that Steward's own clients put into a {@link ModelError} where no provider answered. */
const ownCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'aborted',
  'model_failed',
  'model_not_configured',
  'model_timeout',
  'model_unreachable',
]);

/** The error of a run whose model failed: what the provider said, under one of Steward's codes. */
export function modelFailure(error: ModelError): StewardError {
  const { message, retryAfterMs } = error;
  const code = codeOf(error);
  return new StewardError(code, message, {
    // A quota that is used up is a 429 as well, but waiting does not help.
    ...(error.code === 'insufficient_quota' && { retryable: false }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function codeOf({ status, code }: ModelError): ErrorCode {
  if (status === null) {
    return code !== null && ownCodes.has(code) ? (code as ErrorCode) : 'model_failed';
  }
  return codeOfStatus[status] ?? (status >= 500 ? 'model_failed' : 'model_rejected');
}

/** Whether the turn may be tried again: the failure may pass, and in a time that we are ready to wait. */
export function isRetryable(error: unknown, maxWaitMs: number): boolean {
  return error instanceof StewardError && error.retryable && (error.retryAfterMs ?? 0) <= maxWaitMs;
}

/** Milliseconds before the next try: what the provider asked for, or full jitter under a doubling ceiling. */
export function retryWait(
  failure: StewardError,
  attempt: number,
  limits: Pick<Limits, 'maxRetryWaitMs'>,
): number {
  const ceiling = Math.min(limits.maxRetryWaitMs, 500 * 2 ** (attempt - 1));
  return Math.max(failure.retryAfterMs ?? 0, Math.random() * ceiling);
}
