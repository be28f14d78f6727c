import { isRecord } from '../internal/json.ts';

/** An object of a provider's JSON, of which nothing is certain. */
export type WireObject = Readonly<Record<string, unknown>>;

/** The objects in what should be an array of objects. */
export function objects(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The object in what should be one. */
export function object(value: unknown): WireObject | undefined {
  return isRecord(value) ? value : undefined;
}

/** The text in what should be one; empty otherwise. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text in what should be one; `null` where there is none. */
export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Arguments as the model wrote them; a few providers send the object itself. */
export function argumentsText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The object of one event's data; `undefined` for `[DONE]` and for what is not JSON. */
export function parseObject(data: string): WireObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an event's data is the mark that ends a stream. */
export function isDone(data: string): boolean {
  return data.startsWith('[DONE]') || data.trim() === '[DONE]';
}
