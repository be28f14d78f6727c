// A replica over PostgreSQL, for tests that kill, stop, block and mislead it.
import { Assistant, tool } from '@steward/core';
import type { SetUp } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';

/** What a test says about a replica. */
export interface SetUpSettings {
  readonly connectionString: string;
  readonly schema: string;
  /** Milliseconds of a lease. */
  readonly ttlMs?: number;
  /** Milliseconds for which the tool `compute` blocks this process. */
  readonly blocksForMs?: number;
}

const setUp: SetUp = async (options, settings) => {
  const {
    connectionString,
    schema,
    ttlMs = 1_200,
    blocksForMs = 0,
  } = settings as unknown as SetUpSettings;
  const stores = await postgresStores({ connectionString, schema, maxConnections: 3 });
  const compute = tool({
    name: 'compute',
    description: 'Computes',
    parameters: { type: 'object', properties: { n: { type: 'number' } } },
    effect: 'read',
    execute: () => {
      const end = performance.now() + blocksForMs;
      while (performance.now() < end);
      return 'computed';
    },
  });
  return new Assistant({
    ...options,
    tools: [...options.tools, compute],
    stores,
    lease: { ttlMs, beatMs: Math.floor(ttlMs / 6), sweepMs: 50 },
  });
};
export default setUp;
