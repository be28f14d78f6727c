import { describe } from 'vitest';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { artifactStoreCases } from '../../src/testing/suites/artifact-store.ts';
import { withTampering } from '../../src/testing/suites/audit-log.ts';
import { engineDriver, runEngineCases } from '../../src/testing/suites/run-engine.ts';
import {
  artifactDriver,
  auditDriver,
  clock,
  hostDriver,
  inProcessDriver,
} from './in-process-driver.ts';
import { bound, describeMutants, type Mutants } from './mutants/describe-mutants.ts';
import { hintsMutants } from './mutants/hints-mutants.ts';
import { cacheMutants, sessionMutants, userMutants } from './mutants/host-mutants.ts';
import { liveLogMutants } from './mutants/live-log-mutants.ts';
import { catches } from './mutants/mutant.ts';
import {
  artifactMutants,
  auditMutants,
  breakerMutants,
  conversationMutants,
  rateLimiterMutants,
  toolServerMutants,
  usageMutants,
} from './mutants/port-mutants.ts';

const name = 'inProcessStores()';

describeMutants(name, conversationMutants, inProcessDriver);
describeMutants(name, usageMutants, inProcessDriver);
describeMutants(name, rateLimiterMutants, inProcessDriver);
describeMutants(name, breakerMutants, inProcessDriver);
describeMutants(name, hintsMutants, inProcessDriver);
describeMutants(name, toolServerMutants, inProcessDriver);
describeMutants(name, artifactMutants(artifactDriver.artifactBytes), artifactDriver);
describeMutants(name, auditMutants, withTampering(auditDriver));
describeMutants(name, liveLogMutants, inProcessDriver);
describeMutants('inProcessHostStores()', userMutants, hostDriver);
describeMutants('inProcessHostStores()', sessionMutants, hostDriver);
describeMutants('inProcessHostStores()', cacheMutants, hostDriver);

describe('the suite of artifacts', () => {
  catches(artifactStoreCases(artifactDriver.artifactBytes), 'a store without a limit', {
    caughtBy: 'takes a body as large as allowed and refuses a larger one, keeping nothing of it',
    driver: { ...artifactDriver, open: async () => inProcessStores({ clock }) },
  });
});

const engineMutants: Mutants<RunEngine> = {
  'a segment that is taken twice': [
    'takes a segment once while it is queued or running, and again after that',
    (sound) => ({
      enqueue: (wake) => sound.enqueue({ ...wake, segment: wake.segment + Math.random() }),
    }),
  ],
  'a segment that is lost': [
    'loses none of 500 segments',
    (sound) => ({
      enqueue: async (wake) => {
        if (wake.runId !== 'run-77') await sound.enqueue(wake);
      },
    }),
    'hangs',
  ],
  'one segment at a time': [
    'runs segments side by side and counts them',
    () => bound(new InProcessEngine({ concurrency: 1 })),
    'hangs',
  ],
  'a stop that does not wait': [
    'waits for running segments when it stops, and does not disturb them in the drain time',
    (sound) => ({
      stop: async (drainMs) => {
        sound.stop(drainMs).catch(() => undefined);
      },
    }),
  ],
  'a stop that does not wait for what is given back': [
    'takes what is given back while it stops, and stops only after that',
    (sound) => ({ stop: (drainMs) => sound.stop(drainMs) }),
  ],
  'a stop that aborts at once': [
    'waits for running segments when it stops, and does not disturb them in the drain time',
    (sound) => ({
      start: (handler) => sound.start((wake) => handler(wake, AbortSignal.abort())),
    }),
  ],
  'a stop that never aborts': [
    'aborts what still runs after the drain time, and waits for it',
    (sound) => ({ stop: () => sound.stop(60_000) }),
    'hangs',
  ],
  'a start after the stop': [
    'begins nothing after it was told to stop',
    (sound) => ({ stats: () => ({ ...sound.stats(), running: 1 }) }),
  ],
};

describe('the suite of the engine', () => {
  for (const [what, [caughtBy, breakage, hangs]] of Object.entries(engineMutants)) {
    const open = async (): Promise<RunEngine> => {
      const sound: RunEngine = bound<RunEngine>(new InProcessEngine());
      return { ...sound, ...breakage(sound) };
    };
    catches(runEngineCases, what, {
      caughtBy,
      driver: engineDriver({ open, close: async () => {} }),
      hangs: hangs === 'hangs',
    });
  }
});
