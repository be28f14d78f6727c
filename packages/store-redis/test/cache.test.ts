import { testCache } from '@steward/core/testing';
import { hasRedis, storesDriver } from './test-redis.ts';

if (hasRedis) await testCache('redisStores().cache', storesDriver);
