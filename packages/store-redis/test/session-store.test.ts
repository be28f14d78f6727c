import { testSessionStore } from '@steward/core/testing';
import { hasRedis, storesDriver } from './test-redis.ts';

if (hasRedis) await testSessionStore('redisStores().sessions', storesDriver);
