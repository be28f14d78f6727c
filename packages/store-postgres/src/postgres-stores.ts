import {
  type BreakerStore,
  type Hints,
  inProcessStores,
  type LiveLog,
  type RateLimiter,
  StewardError,
  type Stores,
} from '@steward/core';
import type { UserStore } from '@steward/core/host';
import type { Pool } from 'pg';
import { Database } from './database/database.ts';
import type { Driver } from './database/driver.ts';
import { codeOf } from './database/failures.ts';
import { type EmbeddedDatabase, embeddedDriver } from './database/pglite-driver.ts';
import { openPool, poolDriver } from './database/pool-driver.ts';
import { keepRetaining, type Retained, type Retention, retain } from './retention.ts';
import { examineSchema, examineServer, type Finding, failureOf } from './schema/examination.ts';
import { migrateWhereNeeded } from './schema/migrations.ts';
import { PostgresArtifactStore } from './stores/postgres-artifact-store.ts';
import { postgresAuditLog } from './stores/postgres-audit-log.ts';
import { postgresConversationStore } from './stores/postgres-conversation-store.ts';
import { postgresRunStore } from './stores/postgres-run-store.ts';
import { postgresToolServerStore } from './stores/postgres-tool-server-store.ts';
import { postgresUsageStore } from './stores/postgres-usage-store.ts';
import { postgresUserStore } from './stores/postgres-user-store.ts';

/** Which database, and what else the stores need. One of `connectionString`, `pool` and `pglite` is given. */
export interface PostgresStoresOptions {
  /** As `postgres://user:password@host:5432/database`; the pool is then opened and closed here. */
  readonly connectionString?: string;
  /** Connections of the pool that is opened here, beside one for leases; 10 by default. */
  readonly maxConnections?: number;
  /** A pool of yours; it stays open. Leases are kept over one more connection to the same server. */
  readonly pool?: Pool;
  /** An embedded database of yours; it stays open. For one process. */
  readonly pglite?: EmbeddedDatabase;
  /** The schema of the tables, nobody else's; `steward` by default. */
  readonly schema?: string;
  /** Whether to apply missing migrations at the start; by default only on PGlite. */
  readonly migrate?: boolean;
  /** Bytes of one artifact; 16 MiB by default. */
  readonly artifactBytes?: number;
  /** What may go after how long, looked after every `everyMs` (an hour by default); everything stays by default. */
  readonly retention?: Retention & { readonly everyMs?: number };
  /** What is streamed; by default a log of this process, which serves its own readers alone. */
  readonly liveLog?: LiveLog;
  /** By default one of this process. */
  readonly rateLimiter?: RateLimiter;
  /** By default one of this process. */
  readonly breakers?: BreakerStore;
  /** By default those of this process. */
  readonly hints?: Hints;
}

/** All stores of an assistant, on PostgreSQL, and the users of the application around it. */
export interface PostgresStores extends Stores {
  readonly users: UserStore;
  /** Removes what is older than the policy says, in small batches. */
  retain(policy: Retention): Promise<Retained>;
}

const hourMs = 3_600_000;

/**
 * The stores of an assistant in PostgreSQL 14 or newer, or in PGlite: runs, conversations, usage, audit, tool servers
 * artifacts and users, safe for any number of processes. What is streamed, rate limits and breakers stay in this process
 * unless other drivers are given. It starts with everything in order or not at all.
 *
 * @throws TypeError naming the option that is not acceptable; StewardError `store_unavailable` that says what is wrong
 * with the server, the schema or the rights, and what to do.
 * @example
 * ```ts
 * import { Assistant, demoModel } from '@steward/core';
 * import { postgresStores } from '@steward/store-postgres';
 *
 * const stores = await postgresStores({
 *   connectionString: process.env['DATABASE_URL'] ?? 'postgres://localhost/app',
 *   migrate: true,
 * });
 * const assistant = new Assistant({ model: demoModel(), stores });
 * console.log(await assistant.run('Hello').text());
 * await assistant.close();
 * await stores.close();
 * ```
 */
export async function postgresStores(options: PostgresStoresOptions): Promise<PostgresStores> {
  const { schema, artifactBytes } = check(options);
  const driver = await openDriver(options);
  try {
    mustHold(await examineServer(driver));
    if (options.migrate ?? driver.isEmbedded) await migrateWhereNeeded(driver, schema);
    mustHold(await examineSchema(driver, schema));
  } catch (reason) {
    await driver.close();
    throw startError(reason);
  }
  const db = new Database(driver, schema);
  return assemble({ db, leases: new Database(driver.reserve(), schema) }, options, artifactBytes);
}

/** Why it does not start, where no check says so. */
function startError(reason: unknown): StewardError {
  if (codeOf(reason) !== '42501') return StewardError.from(reason, 'store_unavailable');
  const says = `This role may not create tables (${(reason as Error).message}): run \`steward-postgres migrate\` with one that may.`;
  return new StewardError('store_unavailable', says, { cause: reason, retryable: false });
}

function mustHold(findings: readonly Finding[]): void {
  const failure = failureOf(findings);
  if (failure) throw new StewardError('store_unavailable', failure.says, { retryable: false });
}

function assemble(
  { db, leases }: Readonly<Record<'db' | 'leases', Database>>,
  options: PostgresStoresOptions,
  artifactBytes: number,
): PostgresStores {
  const local = inProcessStores();
  const { liveLog = local.liveLog, retention } = options;
  const { rateLimiter = local.rateLimiter, breakers = local.breakers } = options;
  const { hints = local.hints } = options;
  const stop = retention && keepRetaining(db, retention, retention.everyMs ?? hourMs);
  return {
    runs: postgresRunStore(db, leases),
    conversations: postgresConversationStore(db),
    liveLog,
    artifacts: new PostgresArtifactStore(db, artifactBytes),
    usage: postgresUsageStore(db),
    rateLimiter,
    breakers,
    hints,
    audit: postgresAuditLog(db),
    toolServers: postgresToolServerStore(db),
    users: postgresUserStore(db),
    retain: (policy) => retain(db, policy),
    close: async () => {
      stop?.();
      await local.close();
      await leases.close();
      await db.close();
    },
  };
}

async function openDriver(options: PostgresStoresOptions): Promise<Driver> {
  const { connectionString, maxConnections = 10, pool, pglite } = options;
  if (pglite !== undefined) return embeddedDriver(pglite);
  if (pool !== undefined) return poolDriver(pool);
  return openPool(connectionString ?? '', maxConnections);
}

function check(options: PostgresStoresOptions) {
  const { connectionString, pool, pglite } = options;
  const given = [connectionString, pool, pglite].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new TypeError('postgresStores: give one of connectionString, pool and pglite');
  }
  if (connectionString !== undefined && !/^postgres(ql)?:\/\//.test(connectionString)) {
    throw new TypeError(
      'postgresStores: connectionString must begin with postgres://, as postgres://user:password@host:5432/database',
    );
  }
  const { schema = 'steward', artifactBytes = 16 * 1024 * 1024, maxConnections = 10 } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new TypeError(
      'postgresStores: schema must be a lower-case name of at most 63 characters',
    );
  }
  mustCount('artifactBytes', artifactBytes);
  mustCount('maxConnections', maxConnections);
  return { schema, artifactBytes };
}

function mustCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new TypeError(`postgresStores: ${name} must be a positive integer, not ${value}`);
}
