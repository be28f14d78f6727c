import { openAsBlob } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { inject } from 'vitest';
import { type PostgresStores, type PostgresStoresOptions, postgresStores } from '../src/index.ts';
import { TestSchemas } from './test-schemas.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server to test on; `null` where there is none. */
    readonly postgresUrl: string | null;
    /** A file with the data of an empty embedded database. */
    readonly embeddedData: string;
  }
}

export type Rows = readonly Record<string, unknown>[];

/** Stores with what a test needs to look behind them. */
export interface TestStores extends PostgresStores {
  readonly options: PostgresStoresOptions;
  readonly schema: string;
  /** Runs a statement beside the stores. */
  readonly sql: (text: string, values?: unknown[]) => Promise<Rows>;
}

/** A database of a kind, as the conformance suites take it; every `open` gives an empty schema of its own. */
export interface TestDatabase {
  readonly name: string;
  open(options?: Partial<PostgresStoresOptions>): Promise<TestStores>;
  /** The same data through other connections. */
  reopen(stores: TestStores): Promise<TestStores>;
  passTime(ms: number): Promise<void>;
  close(stores: TestStores): Promise<void>;
}

interface Backend {
  readonly name: string;
  /** Whether its clock is set forward instead of waited for; a server is tested on time as it passes. */
  readonly skipsTime: boolean;
  /** Two ways to the database that share nothing, where there can be two. */
  connections(): Promise<readonly [PostgresStoresOptions, PostgresStoresOptions]>;
  readonly sql: (text: string, values?: unknown[]) => Promise<Rows>;
  readonly exec: (text: string) => Promise<unknown>;
}

function serverBackend(connectionString: string): Backend {
  const pool = () => new pg.Pool({ connectionString, max: 10, allowExitOnIdle: true });
  const [first, second] = [pool(), pool()];
  return {
    name: 'PostgreSQL',
    skipsTime: false,
    connections: async () => [{ pool: first }, { pool: second }],
    sql: async (text, values) => (await first.query(text, values)).rows,
    exec: (text) => first.query(text),
  };
}

/** One for all tests of this process, and gone with it. */
function embeddedBackend(): Backend {
  let started: Promise<PGlite> | undefined;
  const start = () => {
    started ??= openAsBlob(inject('embeddedData')).then((loadDataDir) =>
      PGlite.create({ loadDataDir }),
    );
    return started;
  };
  return {
    name: 'PGlite',
    skipsTime: true,
    connections: async () => {
      const pglite = await start();
      return [{ pglite }, { pglite }];
    },
    sql: async (text, values) =>
      (await (await start()).query<Record<string, unknown>>(text, values)).rows,
    exec: async (text) => (await start()).exec(text),
  };
}

function testDatabase(backend: Backend): TestDatabase {
  const schemas = new TestSchemas(backend.exec);
  const openedAgain = new WeakSet<TestStores>();
  const storesOf = async (
    options: PostgresStoresOptions,
    schema: string,
    way: 0 | 1,
  ): Promise<TestStores> => {
    const connection = (await backend.connections())[way];
    const stores = await postgresStores({ ...options, ...connection, schema });
    return { ...stores, options, schema, sql: backend.sql };
  };
  return {
    name: backend.name,
    open: async (options = {}) => storesOf(options, await schemas.take(), 0),
    reopen: async ({ options, schema }) => {
      const stores = await storesOf(options, schema, 1);
      openedAgain.add(stores);
      return stores;
    },
    passTime: (ms) => (backend.skipsTime ? schemas.passTime(ms) : wait(ms)),
    close: async (stores) => {
      await stores.close();
      if (!openedAgain.has(stores)) await schemas.giveBack(stores.schema);
    },
  };
}

const url = inject('postgresUrl');

/** PGlite, and PostgreSQL where there is one. */
export const databases: readonly TestDatabase[] = [
  ...(url === null ? [] : [testDatabase(serverBackend(url))]),
  testDatabase(embeddedBackend()),
];
