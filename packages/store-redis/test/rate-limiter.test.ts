import { testRateLimiter } from '@steward/core/testing';
import { redises } from './test-redis.ts';

for (const redis of redises)
  await testRateLimiter(`redisStores().rateLimiter on ${redis.name}`, redis);
