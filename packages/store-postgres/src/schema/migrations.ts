import { readdir } from 'node:fs/promises';
import { quoted } from '../database/database.ts';
import type { Driver, Session } from '../database/driver.ts';
import { migrationsFolder } from '../migrations-folder.ts';

/** What is applied of the migrations of this version. */
export type SchemaState =
  /** There is no such schema, or it is empty. */
  | { readonly kind: 'absent' }
  /** It has tables that are not ours. */
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'ours';
      readonly applied: readonly string[];
      readonly pending: readonly string[];
      /** Applied by a newer version. */
      readonly unknown: readonly string[];
    };

/** The names of the migrations of this version, in order. */
export async function knownMigrations(): Promise<readonly string[]> {
  const files = await readdir(migrationsFolder);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/**
 * Whether code that does not know a migration must not run after it. All others only add (columns with a default, tables,
 * functions beside the ones that are there), so that two versions can work on one schema while one replaces the other.
 */
export function isContracting(name: string): boolean {
  return /^\d+_contract_/.test(name);
}

/** Compares a schema with the migrations of this version. */
export async function schemaState(driver: Driver, schema: string): Promise<SchemaState> {
  const known = await knownMigrations();
  const tables = await driver.query(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    [schema],
  );
  const names = new Set(tables.map(({ name }) => name));
  if (names.size === 0) return { kind: 'absent' };
  if (!names.has('migration') || (names.size > 1 && !names.has('run'))) return { kind: 'foreign' };
  const rows = await driver.query(`select name from ${quoted(schema)}.migration order by id`, []);
  const applied = rows.map(({ name }) => String(name));
  if (applied.length > 0 && applied[0] !== known[0]) return { kind: 'foreign' };
  return {
    kind: 'ours',
    applied: applied.filter((name) => known.includes(name)),
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/** Names the lock under which migrations run. */
const lockValue = 5_391_407_263;

/** Where to. */
export interface MigrationStep {
  readonly schema: string;
  readonly direction: 'up' | 'down';
  /** How many at most; all by default. */
  readonly count?: number;
}

/**
 * Applies migrations, or takes the last ones back, in one transaction and under a lock: of several processes that
 * begin at once one does it, the others wait and find it done. Returns their names.
 */
export async function migrate(driver: Driver, step: MigrationStep): Promise<readonly string[]> {
  const { runner } = await import('node-pg-migrate');
  return driver.session(async (session) => {
    await session.query('set statement_timeout to 0');
    // The runner takes the lock once more; it is this session's, and ends with it.
    await session.query(`select pg_advisory_lock(${lockValue})`);
    await createSchema(session, step.schema);
    const done = await runner({
      // It asks for nothing but `query` of a client that it is given.
      dbClient: { query: session.query } as never,
      dir: migrationsFolder,
      schema: [step.schema, 'pg_temp'],
      migrationsSchema: step.schema,
      migrationsTable: 'migration',
      direction: step.direction,
      count: step.count ?? Number.POSITIVE_INFINITY,
      singleTransaction: true,
      lockValue,
      advisoryLockMode: 'wait',
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    });
    return done.map(({ name }) => name);
  });
}

/** Applies what is missing; a schema that is up to date, or somebody else's, is left alone. */
export async function migrateWhereNeeded(driver: Driver, schema: string): Promise<void> {
  const state = await schemaState(driver, schema);
  const isBehind = state.kind === 'ours' && state.pending.length > 0 && state.unknown.length === 0;
  if (state.kind === 'absent' || isBehind) await migrate(driver, { schema, direction: 'up' });
}

/** Not with `if not exists`: that needs the right to create schemas even where there is nothing to create. */
async function createSchema(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query('select from pg_namespace where nspname = $1', [schema]);
  if (rows.length > 0) return;
  await session.query(`create schema if not exists ${quoted(schema)}`);
}
