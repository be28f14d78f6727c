// The way to the tables beside the replicas, for those who look on.
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** Lends a connection whose search path is the schema of the stores. */
export async function withSchema<T>(
  connectionString: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString });
  // A server that is stopped under us makes the statement fail; that is enough.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('set search_path to steward');
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Asks until the answer is right or the time is over, also while the server is away. */
export async function untilRows(
  connectionString: string,
  statement: string,
  isRight: (rows: readonly unknown[]) => boolean,
  withinMs: number,
): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    const answer = withSchema(
      connectionString,
      async (client) => (await client.query(statement)).rows,
    );
    const rows = await answer.catch(() => undefined);
    if (rows && isRight(rows)) return true;
    await wait(200);
  }
  return false;
}
