import { testRunEngine } from '@steward/core/testing';
import { bullMqEngine } from '../src/index.ts';
import { newPrefix, redises } from './test-redis.ts';

for (const { name, engineUrl: url } of redises) {
  await testRunEngine(`bullMqEngine() on ${name}`, {
    open: () => bullMqEngine({ url, prefix: newPrefix() }),
    close: (engine) => engine.stop(0),
  });
}
