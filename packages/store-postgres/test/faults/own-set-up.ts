// A set-up as a user writes it for steward-test.
import process from 'node:process';
import { Assistant } from '@steward/core';
import type { SetUp } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';

const setUp: SetUp = async (options) => {
  const stores = await postgresStores({
    connectionString: process.env['DATABASE_URL'] ?? '',
    schema: process.env['SCHEMA'] ?? 'steward',
  });
  return new Assistant({ ...options, stores, lease: { ttlMs: 1_200, beatMs: 200, sweepMs: 50 } });
};
export default setUp;
