import { isRecord } from '../internal/json.ts';

/** What an answer to one call of the contract says, wherever it comes from. */
export type RestReply =
  | { readonly kind: 'result'; readonly response: unknown }
  | { readonly kind: 'error'; readonly code: unknown; readonly message: string }
  /** It is none of the contract. */
  | { readonly kind: 'garbage' };

/** Reads the answer to an envelope of one call. */
export function readReply(envelope: unknown): RestReply {
  if (!isRecord(envelope)) return { kind: 'garbage' };
  const result = firstResult(envelope);
  const error = envelope['error'] ?? result?.['error'];
  if (error !== undefined && error !== null) return { kind: 'error', ...errorOf(error) };
  const isFailed = envelope['successful'] === false || result?.['successful'] === false;
  if (isFailed) return { kind: 'error', code: undefined, message: 'The tool failed.' };
  return result === undefined
    ? { kind: 'garbage' }
    : { kind: 'result', response: result['response'] };
}

function firstResult({ data }: Record<string, unknown>): Record<string, unknown> | undefined {
  const results = isRecord(data) ? data['results'] : undefined;
  const first: unknown = Array.isArray(results) ? results[0] : undefined;
  return isRecord(first) ? first : undefined;
}

/** What went wrong is a sentence, or a code with a sentence. */
function errorOf(error: unknown): { readonly code: unknown; readonly message: string } {
  const { code, message } = isRecord(error) ? error : { code: undefined, message: error };
  return { code, message: typeof message === 'string' ? message : JSON.stringify(error) };
}

/** JSON, or `undefined`. */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
