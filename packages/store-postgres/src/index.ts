// The public door of @steward/store-postgres. Named exports only.

export {
  type PostgresStores,
  type PostgresStoresOptions,
  postgresStores,
} from './postgres-stores.ts';
export type { Retained, Retention } from './retention.ts';
export type { EmbeddedDatabase } from './database/pglite-driver.ts';
