import type { Owner, UsageStore } from '@steward/core';
import type { Database } from '../database/database.ts';
import { json, wholeMs } from './sql-values.ts';

/** A UsageStore in the tables of a schema, exact across processes. */
export function postgresUsageStore(db: Database): UsageStore {
  const about = ({ tenantId, userId }: Owner) => [tenantId, userId] as const;
  return {
    reserve: (owner, reservationId, tokens, limits) => {
      const whole = limits.map((limit) => ({
        windowMs: wholeMs(limit.windowMs),
        tokens: Math.floor(limit.tokens),
      }));
      const values = [reservationId, Math.ceil(tokens), json(whole)];
      return db.call('reserve_usage', [...about(owner), ...values], 'repeatable');
    },
    settle: (owner, reservationId, tokens) =>
      db.run('settle_usage', [...about(owner), reservationId, Math.ceil(tokens)], 'repeatable'),
    read: (owner, windowMs) =>
      db.call('read_usage', [...about(owner), wholeMs(windowMs)], 'repeatable'),
  };
}
