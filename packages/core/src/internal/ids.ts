import { randomUUID } from 'node:crypto';
import { sha256 } from './digest.ts';

/** A new id that cannot be guessed, such as `run_3f0c...`. */
export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** The same id for the same parts, such as `call_9a1f...`. */
export function derivedId(prefix: string, ...parts: readonly (string | number)[]): string {
  return `${prefix}_${sha256(JSON.stringify(parts)).slice(0, 32)}`;
}
