import { testRunEngine } from '@steward/core/testing';
import { bullMqEngine } from '../src/index.ts';
import { hasRedis, newPrefix, redisUrl } from './test-redis.ts';

if (hasRedis) {
  await testRunEngine('bullMqEngine()', {
    open: () => bullMqEngine({ url: redisUrl, prefix: newPrefix() }),
    close: (engine) => engine.stop(0),
  });
}
