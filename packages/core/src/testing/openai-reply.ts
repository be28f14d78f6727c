import { isRecord } from '../internal/json.ts';
import type { TurnContent } from './turn-content.ts';

/** Bytes to be served as they are. */
export interface RawReply {
  readonly body: string | Uint8Array;
  /** 200 unless given. */
  readonly status?: number;
  /** `text/event-stream` unless given. */
  readonly contentType?: string;
}

/** An error as OpenAI words it; what is left out is filled in. */
export interface ReplyError {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | null;
}

/**
 * One answer of {@link startOpenAiServer}: what the model says, whatever the API, and what goes wrong on the way.
 * Faults may be combined. Pieces are those of {@link TurnContent}: words of text, whole tool calls.
 */
export interface OpenAiReply extends TurnContent {
  /** The model that answers; the one asked for unless given. */
  readonly model?: string;
  /** More response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes served as they are, for recorded answers; what is said is then ignored, faults on bytes are not. */
  readonly raw?: RawReply;

  /** An HTTP status from 400: answers with an error body instead of a turn. */
  readonly status?: number;
  /** The `Retry-After` header: seconds, or an HTTP date. */
  readonly retryAfter?: number | string;
  /** Words the error of `status` or `errorAfter`. */
  readonly error?: ReplyError;

  /** Milliseconds to wait before the headers, before the first piece, before each piece. */
  readonly latency?: {
    readonly headers?: number;
    readonly firstPiece?: number;
    readonly piece?: number;
  };
  /** The connection is closed without a byte of answer. */
  readonly drop?: boolean;
  /** After so many pieces nothing more is sent, and the connection stays open until the client leaves. */
  readonly stallAfter?: number;
  /** After so many pieces the connection is torn. */
  readonly cutAfter?: number;
  /** After so many bytes of the body the connection is torn, be it inside a character. */
  readonly cutAfterBytes?: number;
  /** After so many pieces the body ends in good order, but without the events that end a turn. */
  readonly endAfter?: number;
  /** After so many pieces an error comes inside the stream (a 500 in mid-stream); its words are in `error`. */
  readonly errorAfter?: number;
  /** After so many pieces an event comes whose JSON is broken; then the answer goes on. */
  readonly malformedAfter?: number;
  /** The pieces are sent over and over until the client leaves. */
  readonly endless?: boolean;
  /** Before the first piece comes a comment line of so many bytes. */
  readonly hugeLine?: number;
  /** The body is written in slices of so many bytes, or of 1 to `max` bytes at random by `seed`. */
  readonly slice?: number | { readonly max: number; readonly seed: number };
  /** How lines of a stream end: `lf` (default), `crlf`, or `mixed` (both in turns). */
  readonly newline?: 'lf' | 'crlf' | 'mixed';
  /** A comment line comes before each event, as keep-alives do. */
  readonly comments?: boolean;
}

type Check = (value: unknown) => boolean;

const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const isFlag: Check = (value) => typeof value === 'boolean';
const isText: Check = (value) => typeof value === 'string' || Array.isArray(value);
const isString: Check = (value) => typeof value === 'string';
const isStatus: Check = (value) => Number.isInteger(value) && (value as number) >= 400;
const isSlice: Check = (value) =>
  isRecord(value) ? isCount(value['max']) && isCount(value['seed']) : isCount(value) && value !== 0;

const fields: Readonly<Record<keyof OpenAiReply, Check>> = {
  reasoning: isText,
  text: isText,
  refusal: isText,
  toolCalls: Array.isArray,
  finishReason: (value) => value === null || isString(value),
  usage: (value) => value === null || isRecord(value),
  model: isString,
  headers: isRecord,
  raw: isRecord,
  status: isStatus,
  retryAfter: (value) => isCount(value) || isString(value),
  error: isRecord,
  latency: isRecord,
  drop: isFlag,
  stallAfter: isCount,
  cutAfter: isCount,
  cutAfterBytes: isCount,
  endAfter: isCount,
  errorAfter: isCount,
  malformedAfter: isCount,
  endless: isFlag,
  hugeLine: isCount,
  slice: isSlice,
  newline: (value) => value === 'lf' || value === 'crlf' || value === 'mixed',
  comments: isFlag,
};

/** Throws a `TypeError` naming the field if `reply` is not one; `at` says where it stands. */
export function requireReply(reply: unknown, at: string): asserts reply is OpenAiReply {
  if (!isRecord(reply)) throw new TypeError(`${at} must be a reply such as { text: 'Hello' }`);
  for (const [name, value] of Object.entries(reply)) {
    const check = Object.hasOwn(fields, name) ? fields[name as keyof OpenAiReply] : undefined;
    if (!check) {
      throw new TypeError(
        `${at}.${name} is not a field of a reply; it has ${Object.keys(fields).join(', ')}`,
      );
    }
    if (value !== undefined && !check(value)) {
      throw new TypeError(`${at}.${name} is not acceptable: ${JSON.stringify(value)}`);
    }
  }
}
