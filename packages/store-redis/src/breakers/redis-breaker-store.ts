import type { BreakerAdmission, BreakerStore } from '@steward/core';
import type { RedisClient } from '../connection/redis-client.ts';
import { defineScript, digest, nowInScript, wholeMs } from '../script.ts';

/** What a store of breakers is made of. */
export interface RedisBreakerStoreParts {
  readonly prefix: string;
  readonly client: RedisClient;
  /** Knows what this process knows while Redis is away. */
  readonly local: BreakerStore;
}

/** A breaker that nobody asked about for so long after its cooling is forgotten. */
const forgetMs = 24 * 60 * 60 * 1000;

/** Returns how long to wait, 0 for a probe, -1 where nothing is open. */
const admitScript = `
local breaker = redis.call('HMGET', KEYS[1], 'cools', 'probed')
if not breaker[1] then return -1 end
${nowInScript}
local wait = math.max(breaker[1], breaker[2]) - now
if wait > 0 then return wait end
redis.call('HSET', KEYS[1], 'probed', now + ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1] + ${forgetMs})
return 0
`;

const openScript = `
${nowInScript}
local cools = math.max(redis.call('HGET', KEYS[1], 'cools') or 0, now + ARGV[1])
redis.call('HSET', KEYS[1], 'cools', cools, 'probed', 0)
redis.call('PEXPIRE', KEYS[1], cools - now + ${forgetMs})
`;

/** A BreakerStore on Redis; while that is away, each process knows its own breakers. */
export function redisBreakerStore({ prefix, client, local }: RedisBreakerStoreParts): BreakerStore {
  const admit = defineScript(client, 'stewardBreakerAdmit', admitScript);
  const open = defineScript(client, 'stewardBreakerOpen', openScript);
  const keyOf = (name: string) => `${prefix}:breaker:${digest(name)}`;
  return {
    admit: async (name, probeMs): Promise<BreakerAdmission> => {
      try {
        return admissionOf(Number(await admit([keyOf(name)], wholeMs(probeMs))));
      } catch {
        return local.admit(name, probeMs);
      }
    },
    open: async (name, coolingMs) => {
      await open([keyOf(name)], wholeMs(coolingMs)).catch(() => local.open(name, coolingMs));
    },
    close: async (name) => {
      await local.close(name);
      await client.call('DEL', keyOf(name)).catch(isAway);
    },
  };
}

function admissionOf(waitMs: number): BreakerAdmission {
  if (waitMs > 0) return { allowed: false, retryAfterMs: waitMs };
  return { allowed: true, isProbe: waitMs === 0 };
}

/** Then it stays open there, and a probe closes it once Redis is back. */
function isAway(): void {}
