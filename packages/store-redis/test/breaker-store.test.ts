import { testBreakerStore } from '@steward/core/testing';
import { hasRedis, storesDriver } from './test-redis.ts';

if (hasRedis) await testBreakerStore('redisStores().breakers', storesDriver);
