import { testCache } from '@steward/core/testing';
import { redises } from './test-redis.ts';

for (const redis of redises) await testCache(`redisStores().cache on ${redis.name}`, redis);
