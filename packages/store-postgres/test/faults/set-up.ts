// A replica over PostgreSQL, for tests that kill it.
import { Assistant } from '@steward/core';
import type { SetUp } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';

/** What the tests say about the database. */
export interface SetUpSettings {
  readonly connectionString: string;
  readonly schema: string;
}

const setUp: SetUp = async (options, settings) => {
  const { connectionString, schema } = settings as unknown as SetUpSettings;
  const stores = await postgresStores({ connectionString, schema, maxConnections: 3 });
  return new Assistant({ ...options, stores, lease: { ttlMs: 400, beatMs: 100, sweepMs: 50 } });
};
export default setUp;
