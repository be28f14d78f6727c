import { randomUUID } from 'node:crypto';
import type { Owner } from '@steward/core';
import type { UserRecord, UserStore } from '@steward/core/host';
import type { Database } from '../database/database.ts';
import { json } from './sql-values.ts';

/** A UserStore in a table of a schema. */
export function postgresUserStore(db: Database): UserStore {
  const about = ({ tenantId, userId }: Owner) => [tenantId, userId] as const;
  return {
    signIn: ({ tenantId, issuer, subject }, profile) => {
      const values = [tenantId, `user_${randomUUID().replaceAll('-', '')}`, issuer, subject];
      return db.call<UserRecord>('sign_in', [...values, json(profile)], 'repeatable');
    },
    get: (owner) => db.call('read_user', about(owner), 'repeatable'),
    list: (tenantId, { limit, before }) =>
      db.call('list_users', [tenantId, limit, before ?? null], 'repeatable'),
    update: (owner, { roles, isDisabled, revokeTokens = false, preferences }) => {
      const values = [json(roles), isDisabled ?? null, revokeTokens, json(preferences)];
      return db.call('update_user', [...about(owner), ...values], 'repeatable');
    },
    delete: (owner) => db.run('delete_user', about(owner), 'repeatable'),
  };
}
