import { testLiveLog } from '@steward/core/testing';
import { redises } from './test-redis.ts';

for (const redis of redises) await testLiveLog(`redisStores().liveLog on ${redis.name}`, redis);
