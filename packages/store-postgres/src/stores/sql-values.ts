import type { ClaimRequest } from '@steward/core';

/** JSON text for a parameter; SQL null for what is not there. */
export function json(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** How much of the conversation a claim wants, in the order of the parameters. */
export function windowOf({ history }: ClaimRequest): readonly [messages: number, bytes: number] {
  return [Math.min(history.messages, 2 ** 31 - 1), history.bytes];
}

/** Milliseconds as the database takes them: whole, and never so many that the end of the wait is no number. */
export function wholeMs(ms: number): number {
  return Math.round(Math.min(Math.max(ms, 0), 2 ** 52));
}
