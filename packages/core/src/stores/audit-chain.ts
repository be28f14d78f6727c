import { canonicalJson, sha256 } from '../internal/digest.ts';
import type { AuditEntry, AuditRecord, AuditVerdict } from './audit-log.ts';

/**
 * Puts an entry behind `previous` (`undefined` at the start of a chain): numbers it and hashes it together with the
 * hash before. For those who write an {@link AuditLog}: every driver then makes the same chains.
 *
 * @example
 * ```ts
 * import { type AuditEntry, chainEntry, verifyChain } from '@steward/core';
 *
 * const entry: AuditEntry = { tenantId: 't', userId: 'u', chain: 'registry', action: 'server.added', details: {} };
 * const first = chainEntry(undefined, entry, Date.now());
 * const second = chainEntry(first, entry, Date.now());
 * console.log(verifyChain([first, second]).valid);
 * ```
 */
export function chainEntry(
  previous: AuditRecord | undefined,
  entry: AuditEntry,
  at: number,
): AuditRecord {
  const { tenantId, userId, chain, action, details } = entry;
  const placed = {
    tenantId,
    userId,
    chain,
    action,
    details,
    sequence: (previous?.sequence ?? 0) + 1,
    at,
  };
  return { ...placed, hash: sha256((previous?.hash ?? '') + canonicalJson(placed)) };
}

/**
 * Computes a whole chain anew and finds the first record that was changed, removed or moved. A chain that lost its
 * newest records still fits: compare `length` and `head` with an anchor kept elsewhere.
 *
 * @example
 * ```ts
 * import { type AuditRecord, verifyChain } from '@steward/core';
 *
 * export function alarm(records: readonly AuditRecord[]): string | undefined {
 *   const verdict = verifyChain(records);
 *   return verdict.valid ? undefined : `record ${verdict.brokenAt} is not what was written`;
 * }
 * ```
 */
export function verifyChain(records: readonly AuditRecord[]): AuditVerdict {
  let previous: AuditRecord | undefined;
  for (const [index, record] of records.entries()) {
    const expected = chainEntry(previous, record, record.at);
    if (expected.hash !== record.hash || record.sequence !== index + 1) {
      return { valid: false, brokenAt: index + 1 };
    }
    previous = record;
  }
  return { valid: true, length: records.length, head: previous?.hash ?? null };
}
