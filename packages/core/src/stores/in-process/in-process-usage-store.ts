import type { UsageStore } from '../usage-store.ts';
import type { InProcessDatabase } from './database.ts';

/** A UsageStore over the tables of this process. What it does is loaded with the first run, or when first asked. */
export function inProcessUsageStore(db: InProcessDatabase): UsageStore {
  const accounts = () => import('./usage-rows.ts');
  return {
    reserve: async (owner, reservationId, tokens, limits) => {
      const { reserve } = await accounts();
      return reserve(db, owner, { reservationId, tokens, limits });
    },
    settle: async (owner, reservationId, tokens) => {
      const { settle } = await accounts();
      settle(db, owner, { reservationId, tokens });
    },
    read: async (owner, windowMs) => {
      const { accountOf, currentWindow } = await accounts();
      const { used, reserved } = currentWindow(accountOf(db, owner), windowMs, db.clock.now());
      return { used, reserved };
    },
  };
}
