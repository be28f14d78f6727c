import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { inProcessStores, type Stores } from '@steward/core';
import type { SuiteDriver } from '@steward/core/testing';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { type RedisStores, type RedisStoresOptions, redisStores } from '../src/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server to test on; `null` where there is none. */
    readonly redisUrl: string | null;
  }
}

const url = inject('redisUrl');
export const hasRedis = url !== null;
export const redisUrl = url ?? 'redis://127.0.0.1:1';

/** What assistants of one process share that shall behave as if they were alone in theirs. */
export function sharedStores(): Stores {
  const stores = inProcessStores();
  return { ...stores, artifacts: { ...stores.artifacts, isLocal: false } };
}

/** Nobody else has keys like these. */
export function newPrefix(): string {
  return `test:${randomUUID().slice(0, 8)}`;
}

/** Stores under a prefix of their own. */
export interface TestStores extends RedisStores {
  readonly prefix: string;
}

async function openStores(options: Partial<RedisStoresOptions> = {}): Promise<TestStores> {
  const prefix = options.prefix ?? newPrefix();
  const address = options.client === undefined ? { url: redisUrl } : {};
  return { ...(await redisStores({ ...address, ...options, prefix })), prefix };
}

/** Deletes what a test left; other tests use the same server. */
async function removeKeys(prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    if (keys.length > 0) await redis.del(keys);
  }
  redis.disconnect();
}

/** Stores on the server of the tests, as the suites take them. */
export const storesDriver: SuiteDriver<TestStores> = {
  open: () => openStores(),
  reopen: ({ prefix }) => openStores({ prefix }),
  passTime: (ms) => wait(ms),
  close: async (stores) => {
    await stores.close();
    await removeKeys(stores.prefix);
  },
};
