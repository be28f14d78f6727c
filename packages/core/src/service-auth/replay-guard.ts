import { LRUCache } from 'lru-cache';

/**
 * Knows which tokens were used. The default is good for one process; several replicas of a server share one of their own
 * (in Redis: `SET id 1 NX PXAT expiresAt`).
 *
 * @example
 * ```ts
 * import type { ReplayGuard } from '@steward/core/service-auth';
 *
 * interface Redis {
 *   set(key: string, value: string, px: 'PXAT', at: number, nx: 'NX'): Promise<'OK' | null>;
 * }
 * export const sharedGuard = (redis: Redis): ReplayGuard => ({
 *   firstUse: async (id, expiresAt) =>
 *     (await redis.set(`jti:${id}`, '1', 'PXAT', expiresAt, 'NX')) === 'OK',
 * });
 * ```
 */
export interface ReplayGuard {
  /** Whether this id is used for the first time. It has to be remembered until `expiresAt`, milliseconds since 1970. */
  firstUse(id: string, expiresAt: number): Promise<boolean>;
}

/** More tokens than one process can check in the life of one of them. */
const MAX_IDS = 500_000;

/**
 * Remembers used tokens in this process. When it is full of tokens that are still good, it takes no new one: forgetting
 * one would let it be used again.
 *
 * @param maxIds tokens remembered at once; 500,000 unless given.
 * @example
 * ```ts
 * import { inProcessReplayGuard } from '@steward/core/service-auth';
 *
 * const guard = inProcessReplayGuard();
 * console.log(await guard.firstUse('a', Date.now() + 1_000)); // true
 * console.log(await guard.firstUse('a', Date.now() + 1_000)); // false
 * ```
 */
export function inProcessReplayGuard(maxIds = MAX_IDS): ReplayGuard {
  const used = new LRUCache<string, true>({ max: maxIds, ttlAutopurge: false, ttl: 1 });
  return {
    async firstUse(id, expiresAt) {
      if (used.has(id)) return false;
      if (used.size >= maxIds) used.purgeStale();
      if (used.size >= maxIds) return false;
      used.set(id, true, { ttl: Math.max(1, expiresAt - Date.now()) });
      return true;
    },
  };
}
