import { availableParallelism } from 'node:os';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to src/*.ts, so no test needs a build. Never add 'import' here: Vitest hands
// these to Node as --conditions, and 'import' breaks require() inside CommonJS packages.
const source = ['@steward/source'];

/** Limits that only a fault reaches: a machine that is slow or busy is none. */
const patience = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
};

const fromSources = {
  resolve: { conditions: source },
  ssr: {
    resolve: { conditions: [...source, ...defaultServerConditions], externalConditions: source },
  },
};

export default defineConfig({
  test: {
    // Most tests wait more than they compute: for children, servers and databases.
    maxWorkers: Math.max(4, availableParallelism()),
    projects: [
      {
        ...fromSources,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: ['packages/store-*/**'],
          setupFiles: ['packages/core/test/setup.ts'],
          ...patience,
        },
      },
      {
        ...fromSources,
        test: {
          name: 'services',
          include: ['packages/store-*/test/**/*.test.ts', 'scripts/chaos/test/*.test.ts'],
          globalSetup: [
            'scripts/lib/test-services.mjs',
            'packages/store-postgres/test/embedded-data.ts',
          ],
          // An embedded database takes seconds to start, more on a busy machine: the files of a worker share one.
          isolate: false,
          ...patience,
        },
      },
      {
        ...fromSources,
        test: { name: 'examples', include: ['examples/*/test/**/*.test.ts'], ...patience },
      },
    ],
  },
});
