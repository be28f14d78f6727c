import type { RunEngine } from '@steward/core';
import { afterAll, describe } from 'vitest';
import { engineDriver, runEngineCases } from '../../core/src/testing/suites/run-engine.ts';
import { describeMutants, type Mutants } from '../../core/test/stores/mutants/describe-mutants.ts';
import { cacheMutants, sessionMutants } from '../../core/test/stores/mutants/host-mutants.ts';
import { liveLogMutants } from '../../core/test/stores/mutants/live-log-mutants.ts';
import { catches } from '../../core/test/stores/mutants/mutant.ts';
import { breakerMutants, rateLimiterMutants } from '../../core/test/stores/mutants/port-mutants.ts';
import { bullMqEngine } from '../src/index.ts';
import { hasRedis, newPrefix, redisUrl, storesDriver } from './test-redis.ts';

const engines: Mutants<RunEngine> = {
  'a lost segment': [
    'loses none of 500 segments',
    (sound) => ({
      enqueue: async (wake) => (wake.runId === 'run-77' ? undefined : sound.enqueue(wake)),
    }),
    'hangs',
  ],
  'a segment that is taken twice': [
    'hands every segment to the handler, whether it was enqueued before or after the start',
    (sound) => ({
      start: (handler) =>
        sound.start(async (wake, signal) => {
          await handler(wake, signal);
          await handler(wake, signal);
        }),
    }),
  ],
  'a stop that does not wait for what is given back': [
    'takes what is given back while it stops, and stops only after that',
    (sound) => ({ stop: (drainMs) => sound.stop(drainMs) }),
  ],
};

describe.runIf(hasRedis)('the suites on Redis', () => {
  describeMutants('redisStores()', liveLogMutants, storesDriver);
  describeMutants('redisStores()', rateLimiterMutants, storesDriver);
  describeMutants('redisStores()', breakerMutants, storesDriver);
  // They wait for time to pass.
  describe('sessions', { concurrent: true }, () => {
    describeMutants('redisStores()', sessionMutants, storesDriver);
  });
  describeMutants('redisStores()', cacheMutants, storesDriver);
  for (const [what, [caughtBy, breakage, hangs]] of Object.entries(engines)) {
    const driver = engineDriver<RunEngine>({
      open: async () => {
        const sound = await bullMqEngine({ url: redisUrl, prefix: newPrefix() });
        afterAll(() => sound.stop(0));
        return {
          isShared: true,
          enqueue: (wake) => sound.enqueue(wake),
          start: (handler) => sound.start(handler),
          stop: (drainMs, until) => sound.stop(drainMs, until),
          stats: () => sound.stats(),
          ...breakage(sound),
        };
      },
      close: (engine) => engine.stop(0),
    });
    catches(runEngineCases, what, { caughtBy, driver, hangs: hangs === 'hangs' });
  }
});
