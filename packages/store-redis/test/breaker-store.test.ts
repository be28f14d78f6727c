import { testBreakerStore } from '@steward/core/testing';
import { redises } from './test-redis.ts';

for (const redis of redises)
  await testBreakerStore(`redisStores().breakers on ${redis.name}`, redis);
