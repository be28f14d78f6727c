import type { AuditEdit } from '@steward/core/testing';
import type { TestStores } from './drivers.ts';

/** Edits the records of a chain as somebody would who has got at the tables. */
export async function tamper(stores: TestStores, chain: string, edit: AuditEdit): Promise<void> {
  const { audit, schema, sql } = stores;
  const owner = { tenantId: 'tenant-1', userId: 'user-1' };
  const edited = edit(await audit.read(owner, chain));
  await sql(`delete from ${schema}.audit where chain = $1`, [chain]);
  for (const [index, { tenantId, userId, action, details, at, hash }] of edited.entries()) {
    const values = [chain, index + 1, tenantId, userId, action, JSON.stringify(details), at, hash];
    await sql(`insert into ${schema}.audit values ($1, $2, $3, $4, $5, $6, $7, $8)`, values);
  }
}
