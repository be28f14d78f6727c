import { testRateLimiter } from '@steward/core/testing';
import { hasRedis, storesDriver } from './test-redis.ts';

if (hasRedis) await testRateLimiter('redisStores().rateLimiter', storesDriver);
