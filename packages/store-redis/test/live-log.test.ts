import { testLiveLog } from '@steward/core/testing';
import { hasRedis, storesDriver } from './test-redis.ts';

if (hasRedis) await testLiveLog('redisStores().liveLog', storesDriver);
