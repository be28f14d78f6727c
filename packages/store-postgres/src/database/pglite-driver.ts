import type { Driver, Row } from './driver.ts';

/** The part of a PGlite database that is used, so that PGlite need not be installed by those who have a server. */
export interface EmbeddedDatabase {
  /** Runs one statement with parameters. */
  query<T>(text: string, values?: unknown[]): Promise<{ rows: T[] }>;
  /** Runs statements without parameters. */
  exec(text: string): Promise<readonly { rows: readonly Row[] }[]>;
}

/** A driver over PGlite, which has one connection and does one thing at a time. */
export function embeddedDriver(database: EmbeddedDatabase): Driver {
  const driver: Driver = {
    isEmbedded: true,
    query: async (text, values) => (await database.query<Row>(text, [...values])).rows,
    session: async (work) => {
      try {
        return await work({
          query: async (text, values) => {
            if (values !== undefined) return database.query<Row>(text, [...values]);
            return { rows: (await database.exec(text)).at(-1)?.rows ?? [] };
          },
        });
      } finally {
        await database.exec('reset search_path');
      }
    },
    reserve: () => driver,
    close: async () => {},
  };
  return driver;
}
