import { type ErrorCode, errorCodes } from './error-codes.ts';

/** What a {@link StewardError} carries besides its code and message. */
export interface StewardErrorOptions {
  /** What caused it, kept for logs; never sent to strangers. */
  readonly cause?: unknown;
  /** The option, argument or property at fault, as a path such as `tools[2].name`. */
  readonly field?: string;
  /** Overrides the table's answer to "may the same request succeed later". */
  readonly retryable?: boolean;
  /** Milliseconds to wait before the next try, where somebody said so (`Retry-After`). */
  readonly retryAfterMs?: number;
}

/**
 * The one error class of Steward. Switch on `code`; the message says what happened and what to do.
 * Wrong arguments that a type checker would catch are plain `TypeError`s instead.
 *
 * @example
 * ```ts
 * import { StewardError } from '@steward/core';
 *
 * const wait = (error: unknown) =>
 *   error instanceof StewardError && error.retryable ? (error.retryAfterMs ?? 1_000) : undefined;
 * ```
 */
export class StewardError extends Error {
  override readonly name = 'StewardError';
  /** One of {@link errorCodes}. */
  readonly code: ErrorCode;
  /** What happened and what to do: the message without the code in front. */
  readonly detail: string;
  /** The option, argument or property at fault, if one is. */
  readonly field: string | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Milliseconds to wait before the next try, where somebody said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: StewardErrorOptions = {}) {
    super(
      `[${code}] ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.detail = message;
    this.field = options.field;
    this.retryable = options.retryable ?? errorCodes[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Keeps a StewardError as it is; wraps anything else under `code` with itself as the cause. */
  static from(reason: unknown, code: ErrorCode): StewardError {
    return wrapped(reason, code);
  }
}

// Outside of the class, or the bundler gives it a second name, `_StewardError`, that Node prints.
function wrapped(reason: unknown, code: ErrorCode): StewardError {
  if (reason instanceof StewardError) return reason;
  return new StewardError(code, describe(reason), { cause: reason });
}

/** A message for whatever was thrown, even if it has none or its getter throws. */
function describe(reason: unknown): string {
  try {
    return reason instanceof Error ? reason.message : String(reason);
  } catch {
    return 'a value was thrown that cannot be described';
  }
}
