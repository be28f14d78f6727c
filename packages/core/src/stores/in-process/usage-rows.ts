import type { Owner } from '../run-store.ts';
import type { Reservation, UsageLimit } from '../usage-store.ts';
import { AgingMap } from './aging-map.ts';
import {
  type InProcessDatabase,
  ownedKey,
  type UsageAccount,
  type UsageEntry,
} from './database.ts';

/** Reservations of an owner that are remembered one by one; older ones stay in the sums of known windows. */
const keptEntries = 10_000;

/** The owner's account, a new one when there is none. */
export function accountOf(db: InProcessDatabase, owner: Owner): UsageAccount {
  const key = ownedKey(owner);
  let account = db.accounts.get(key);
  if (account === undefined) {
    account = { entries: new AgingMap(), windows: new Map() };
    db.accounts.set(key, account);
  }
  return account;
}

/** Sets tokens aside, unless that would go beyond a limit. */
export function reserve(
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

/** Says what was used of a reservation, once. */
export function settle(
  db: InProcessDatabase,
  owner: Owner,
  { reservationId, tokens }: { readonly reservationId: string; readonly tokens: number },
): void {
  const account = accountOf(db, owner);
  const entry = account.entries.get(reservationId);
  if (entry === undefined || entry.settled) return;
  setEntry(account, reservationId, { at: entry.at, tokens, settled: true });
}

/** What the current window of this length holds. */
export function currentWindow(account: UsageAccount, windowMs: number, now: number) {
  const start = now - (now % windowMs);
  const known = account.windows.get(windowMs);
  if (known?.start === start) return known;
  const window = { start, used: 0, reserved: 0 };
  for (const entry of account.entries.values()) if (entry.at >= start) count(window, entry, 1);
  account.windows.set(windowMs, window);
  return window;
}

/** Stores an entry under its id, in place of the one that was there. */
export function setEntry(account: UsageAccount, id: string, entry: UsageEntry): void {
  const replaced = account.entries.get(id);
  account.entries.set(id, entry);
  for (const window of account.windows.values()) {
    if (replaced !== undefined && replaced.at >= window.start) count(window, replaced, -1);
    if (entry.at >= window.start) count(window, entry, 1);
  }
  if (account.entries.size > keptEntries) account.entries.shift();
}

/** Counts what was used under an id, once, whether it was reserved or not. */
export function recordUsage(db: InProcessDatabase, owner: Owner, id: string, tokens: number): void {
  const account = accountOf(db, owner);
  const entry = account.entries.get(id);
  if (entry?.settled === true) return;
  setEntry(account, id, { at: entry?.at ?? db.clock.now(), tokens, settled: true });
}

function count(sums: { used: number; reserved: number }, entry: UsageEntry, sign: 1 | -1): void {
  sums[entry.settled ? 'used' : 'reserved'] += sign * entry.tokens;
}
