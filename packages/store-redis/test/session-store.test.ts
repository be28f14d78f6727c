import { testSessionStore } from '@steward/core/testing';
import { redises } from './test-redis.ts';

for (const redis of redises)
  await testSessionStore(`redisStores().sessions on ${redis.name}`, redis);
