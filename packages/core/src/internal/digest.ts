import { hash } from 'node:crypto';

/**
 * JSON with sorted keys and no spaces, so that equal values give equal texts (the idea of RFC 8785; numbers as
 * `JSON.stringify` writes them). Properties that are `undefined` are left out.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 in lower-case hex of a text's UTF-8. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/** SHA-256 of the canonical JSON: equal for equal values. */
export function digest(value: unknown): string {
  return sha256(canonicalJson(value));
}
