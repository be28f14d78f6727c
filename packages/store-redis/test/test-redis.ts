import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { inProcessStores, type Stores } from '@steward/core';
import type { SuiteDriver } from '@steward/core/testing';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { type RedisStores, redisStores } from '../src/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Servers to test on; `null` where there is none. */
    readonly redisUrl: string | null;
    readonly redisSentinelUrl: string | null;
    readonly redisClusterUrl: string | null;
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
interface TestStores extends RedisStores {
  readonly prefix: string;
}

/** One way to have Redis, and stores there as the suites take them. */
export interface TestRedis extends SuiteDriver<TestStores> {
  readonly name: string;
  /** Where the engine is let in. */
  readonly engineUrl: string;
}

function testRedis(name: string, address: string, engineUrl = address): TestRedis {
  const openStores = async (prefix: string): Promise<TestStores> => ({
    ...(await redisStores({ url: address, prefix })),
    prefix,
  });
  return {
    name,
    engineUrl,
    open: () => openStores(newPrefix()),
    reopen: ({ prefix }) => openStores(prefix),
    passTime: (ms) => wait(ms),
    close: async (stores) => {
      await stores.close();
      await removeKeys(stores.prefix);
    },
  };
}

/** Deletes what a test left; other tests use the same server. The others are thrown away. */
async function removeKeys(prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    if (keys.length > 0) await redis.del(keys);
  }
  redis.disconnect();
}

/** The address for a user with the rights that the README gives it, and no more. */
async function addressOf(user: 'app' | 'engine'): Promise<string> {
  const redis = new Redis(redisUrl);
  await redis.call('ACL', 'SETUSER', ...rightsOf(user));
  redis.disconnect();
  return redisUrl.replace('//', `//${user}:PASSWORD@`);
}

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

/** The rule of the README, for the keys of tests. */
export function rightsOf(user: 'app' | 'engine'): string[] {
  const rule = new RegExp(`^ACL SETUSER (${user} .*)$`, 'm').exec(readme)?.[1] ?? '';
  return rule.replaceAll('steward', 'test').replaceAll('{test}', '{test').split(' ');
}

const [sentinelUrl, clusterUrl] = [inject('redisSentinelUrl'), inject('redisClusterUrl')];

/** Every way to have Redis, where there is one. */
export const redises: readonly TestRedis[] = [
  ...(hasRedis ? [testRedis('one server', await addressOf('app'), await addressOf('engine'))] : []),
  ...(sentinelUrl === null ? [] : [testRedis('a server behind a Sentinel', sentinelUrl)]),
  ...(clusterUrl === null ? [] : [testRedis('a Cluster of three', clusterUrl)]),
];

/** Stores on the one server. */
export const storesDriver = testRedis('one server', redisUrl);
