import type { Owner } from '../run-store.ts';
import type { Reservation, UsageLimit, UsageStore } from '../usage-store.ts';
import type { InProcessDatabase } from './database.ts';
import { accountOf, currentWindow, setEntry } from './usage-rows.ts';

/** A UsageStore over the tables of this process. */
export function inProcessUsageStore(db: InProcessDatabase): UsageStore {
  return {
    reserve: async (owner, reservationId, tokens, limits) =>
      reserve(db, owner, { reservationId, tokens, limits }),
    settle: async (owner, reservationId, tokens) => {
      const account = accountOf(db, owner);
      const entry = account.entries.get(reservationId);
      if (entry === undefined || entry.settled) return;
      setEntry(account, reservationId, { at: entry.at, tokens, settled: true });
    },
    read: async (owner, windowMs) => {
      const { used, reserved } = currentWindow(accountOf(db, owner), windowMs, db.clock.now());
      return { used, reserved };
    },
  };
}

function reserve(
  db: InProcessDatabase,
  owner: Owner,
  asked: {
    readonly reservationId: string;
    readonly tokens: number;
    readonly limits: readonly UsageLimit[];
  },
): Reservation {
  const { reservationId, tokens, limits } = asked;
  const account = accountOf(db, owner);
  if (account.entries.has(reservationId)) return { granted: true };
  const now = db.clock.now();
  const waits = limits.flatMap((limit) => {
    const { used, reserved, start } = currentWindow(account, limit.windowMs, now);
    return used + reserved + tokens > limit.tokens ? [start + limit.windowMs - now] : [];
  });
  if (waits.length > 0) return { granted: false, retryAfterMs: Math.max(...waits) };
  setEntry(account, reservationId, { at: now, tokens, settled: false });
  return { granted: true };
}
