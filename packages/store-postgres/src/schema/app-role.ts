import { quoted } from '../database/database.ts';
import type { Driver } from '../database/driver.ts';

/**
 * Gives a role what the running app needs and no more: no DDL, and in the audit log only to read and to add. The role
 * has to be there unless `create` is set; then it is created as a group (no log-in), to be granted to log-ins.
 */
export async function grantAppRole(
  driver: Driver,
  schema: string,
  role: { readonly name: string; readonly create: boolean },
): Promise<void> {
  const [target, grantee] = [quoted(schema), quoted(role.name)];
  await driver.session(async (session) => {
    const { rows } = await session.query('select from pg_roles where rolname = $1', [role.name]);
    if (rows.length === 0 && role.create) await session.query(`create role ${grantee} nologin`);
    await session.query(`
      begin;
      grant usage on schema ${target} to ${grantee};
      grant select, insert, update, delete on all tables in schema ${target} to ${grantee};
      grant usage on all sequences in schema ${target} to ${grantee};
      grant execute on all functions in schema ${target} to ${grantee};
      revoke insert, update, delete on ${target}.migration from ${grantee};
      revoke update, delete on ${target}.audit from ${grantee};
      commit;`);
  });
}
