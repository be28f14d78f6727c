import { isRecord } from '../internal/json.ts';
import type { ModelError } from './model-events.ts';

/** What a provider said of an error, wherever it said it. */
type ProviderError = Pick<ModelError, 'code' | 'type' | 'message'>;

/** Reads the error objects of OpenAI and of those who imitate it: objects, plain strings, numbers as codes. */
export function readProviderError(error: unknown): ProviderError {
  if (!isRecord(error)) return { code: null, type: null, message: describe(error) };
  const { code, type, message, detail } = error;
  return {
    code: asText(code),
    type: asText(type),
    message: describe(message ?? detail ?? error),
  };
}

/** Reads the body of an answer with an error status: `{ error }`, `{ error: 'text', code }`, or the error itself. */
export function readErrorBody(body: unknown): ProviderError {
  const whole: unknown = Array.isArray(body) ? body[0] : body;
  if (!isRecord(whole) || whole['error'] === undefined || whole['error'] === null) {
    return readProviderError(whole);
  }
  const read = readProviderError(whole['error']);
  return isRecord(whole['error']) ? read : { ...read, code: asText(whole['code']) };
}

/** Milliseconds of `retry-after-ms` or `Retry-After` (seconds or a date), if it says so. */
export function retryAfterMs(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const exact = headers.get('retry-after-ms');
  const after = headers.get('retry-after');
  const ms = exact ? Number(exact) : after ? secondsOrDate(after, now) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function secondsOrDate(value: string, now: number): number {
  const seconds = Number(value);
  return Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1_000;
}

function asText(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value)?.slice(0, 1_000) ?? 'the provider said nothing about the error';
}
