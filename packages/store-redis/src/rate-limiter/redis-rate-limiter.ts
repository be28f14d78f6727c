import type { RateLimit, RateLimiter, RateTake } from '@steward/core';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisClient } from '../connection/redis-client.ts';
import { digest } from '../script.ts';

/** What a limiter is made of. */
export interface RedisRateLimiterParts {
  readonly prefix: string;
  readonly client: RedisClient;
  /** Counts in this process while Redis is away. */
  readonly local: RateLimiter;
  /** Processes that share a limit while each counts alone. */
  readonly replicas: number;
}

/**
 * Takes all points or none, where the library's own script counts refused points as well. The library gives points,
 * window, limit and window; here the window is in milliseconds.
 */
const takeScript = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
local wanted = used + tonumber(ARGV[1])
if left <= 0 then
  wanted = tonumber(ARGV[1])
  left = tonumber(ARGV[2])
end
if wanted <= tonumber(ARGV[3]) then redis.call('SET', KEYS[1], wanted, 'PX', left) end
return {wanted, left}
`;

/** Limits are few: each is a setting of somebody. */
const maxLimits = 1_000;

/** A RateLimiter on Redis: exact for all processes together, and their share of the limit each while Redis is away. */
export function redisRateLimiter(parts: RedisRateLimiterParts): RateLimiter {
  const limiters = new Map<string, RateLimiterRedis>();

  function limiterOf({ points, windowMs }: RateLimit): RateLimiterRedis {
    const name = `${points}/${windowMs}`;
    const known = limiters.get(name);
    if (known !== undefined) return known;
    if (limiters.size >= maxLimits) limiters.clear();
    const limiter = new RateLimiterRedis({
      storeClient: parts.client,
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: takeScript,
      keyPrefix: `${parts.prefix}:rate:${windowMs}`,
      points,
      duration: windowMs,
    });
    limiters.set(name, limiter);
    return limiter;
  }

  return {
    async take(key, limit, cost = 1): Promise<RateTake> {
      try {
        const { remainingPoints } = await limiterOf(limit).consume(digest(key), cost);
        return { allowed: true, remaining: remainingPoints };
      } catch (reason) {
        if (reason instanceof RateLimiterRes) {
          return { allowed: false, retryAfterMs: reason.msBeforeNext };
        }
        const points = Math.max(1, Math.floor(limit.points / parts.replicas));
        return parts.local.take(key, { ...limit, points }, cost);
      }
    },
  };
}
