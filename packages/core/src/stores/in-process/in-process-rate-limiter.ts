import type { Clock } from '../../internal/clock.ts';
import type { RateLimit, RateLimiter, RateTake } from '../rate-limiter.ts';
import { AgingMap } from './aging-map.ts';

interface Bucket {
  readonly endsAt: number;
  used: number;
}

/** Keys that are counted at the same time; beyond it the one whose window began first is forgotten. */
const maxKeys = 100_000;

/** A RateLimiter of this process. A window begins with the first event that is counted in it. */
export function inProcessRateLimiter(clock: Pick<Clock, 'now'>): RateLimiter {
  const buckets = new AgingMap<string, Bucket>();

  function bucketOf(key: string, { windowMs }: RateLimit, now: number): Bucket {
    const name = `${windowMs} ${key}`;
    const known = buckets.get(name);
    if (known !== undefined && known.endsAt > now) return known;
    // Deleted first, so that the map stays in the order in which windows began.
    buckets.delete(name);
    const bucket = { endsAt: now + windowMs, used: 0 };
    buckets.set(name, bucket);
    if (buckets.size > maxKeys) buckets.shift();
    return bucket;
  }

  function take(key: string, limit: RateLimit, cost: number): RateTake {
    const now = clock.now();
    const bucket = bucketOf(key, limit, now);
    const remaining = limit.points - bucket.used - cost;
    if (remaining < 0) return { allowed: false, retryAfterMs: bucket.endsAt - now };
    bucket.used += cost;
    return { allowed: true, remaining };
  }

  return { take: async (key, limit, cost = 1) => take(key, limit, cost) };
}
