import { LRUCache } from 'lru-cache';
import type { ErrorCode } from '../errors/error-codes.ts';
import type { ArtifactReference } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';

/**
 * What a server answers to a call: bounded, and kept under the key of the call.
 *
 * @example
 * ```ts
 * import type { CallAnswer } from '@steward/core/mcp-server';
 *
 * const answer: CallAnswer = { outcome: 'succeeded', content: '{"sent":true}', value: { sent: true } };
 * ```
 */
export interface CallAnswer {
  /** `unknown`: it was started before, and nobody knows what came of it. */
  readonly outcome: 'succeeded' | 'failed' | 'unknown';
  /** The result as text, or its beginning when it is too large, or what went wrong. */
  readonly content: string;
  /** The result itself when it is JSON and was not too large. */
  readonly value?: Json;
  /** Where the whole of a large result is. */
  readonly artifact?: ArtifactReference;
  /** Why it failed. */
  readonly code?: ErrorCode;
}

/**
 * A call that was begun.
 *
 * @example
 * ```ts
 * import type { LedgerEntry } from '@steward/core/mcp-server';
 *
 * const running: LedgerEntry = { digest: '9a1f', answer: null };
 * ```
 */
export interface LedgerEntry {
  /** Of what was asked: the same key with another digest is a conflict. */
  readonly digest: string;
  /** `null` while it runs, and for ever if its process died. */
  readonly answer: CallAnswer | null;
}

/**
 * Remembers calls by their key, so that one that comes again is answered and not made again. Give your own (a table with the
 * key as its primary key) to a server whose writes must not be repeated after a restart, or that has several replicas.
 *
 * @example
 * ```ts
 * import type { CallAnswer, ExecutionLedger, LedgerEntry } from '@steward/core/mcp-server';
 *
 * interface Table {
 *   insertIfNew(key: string, entry: LedgerEntry): Promise<boolean>;
 *   find(key: string): Promise<LedgerEntry>;
 *   setAnswer(key: string, answer: CallAnswer): Promise<void>;
 * }
 * export const tableLedger = (table: Table): ExecutionLedger => ({
 *   begin: async (key, digest) =>
 *     (await table.insertIfNew(key, { digest, answer: null })) ? null : table.find(key),
 *   finish: (key, answer) => table.setAnswer(key, answer),
 * });
 * ```
 */
export interface ExecutionLedger {
  /** Notes in one step that a call begins; what is known of it when it began before. */
  begin(key: string, digest: string): Promise<LedgerEntry | null>;
  /** Keeps the answer of a call that was begun. */
  finish(key: string, answer: CallAnswer): Promise<void>;
}

const MAX_CALLS = 10_000;
const MAX_ANSWER_CHARACTERS = 32 * 1024 * 1024;
const A_DAY_MS = 24 * 60 * 60 * 1_000;
/** What an entry takes besides its answer. */
const ENTRY_CHARACTERS = 256;

/** The calls of this process: the last 10,000, with 32 million characters of answers, for a day. */
export function inProcessExecutionLedger(): ExecutionLedger {
  const entries = new LRUCache<string, LedgerEntry>({
    max: MAX_CALLS,
    maxSize: MAX_ANSWER_CHARACTERS,
    ttl: A_DAY_MS,
    sizeCalculation: ({ answer }) => ENTRY_CHARACTERS + 2 * (answer?.content.length ?? 0),
  });
  return {
    async begin(key, digest) {
      const known = entries.get(key);
      if (known === undefined) entries.set(key, { digest, answer: null });
      return known ?? null;
    },
    async finish(key, answer) {
      const { digest = '' } = entries.get(key) ?? {};
      entries.set(key, { digest, answer });
    },
  };
}
