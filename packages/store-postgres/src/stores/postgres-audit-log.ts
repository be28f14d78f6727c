import { type AuditLog, type AuditRecord, verifyChain } from '@steward/core';
import type { Database } from '../database/database.ts';
import { json } from './sql-values.ts';

/** An AuditLog in a table to which the role of the app may only add. */
export function postgresAuditLog(db: Database): AuditLog {
  const read = (chain: string, tenantId: string | null, userId: string | null) =>
    db.call<readonly AuditRecord[]>('audit_read', [chain, tenantId, userId], 'repeatable');
  return {
    append: ({ chain, tenantId, userId, action, details }) =>
      db.call('audit_append', [chain, tenantId, userId, action, json(details)], 'once'),
    read: ({ tenantId, userId }, chain) => read(chain, tenantId, userId),
    verify: async (chain) => verifyChain(await read(chain, null, null)),
  };
}
