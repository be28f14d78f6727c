import { testSessionStore } from '@steward/core/testing';
import { describe } from 'vitest';
import { hasRedis, redises } from './test-redis.ts';

// They wait for time to pass.
describe.runIf(hasRedis)('on every Redis', { concurrent: true }, async () => {
  for (const redis of redises)
    await testSessionStore(`redisStores().sessions on ${redis.name}`, redis);
});
