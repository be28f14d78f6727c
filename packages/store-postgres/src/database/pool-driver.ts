import type { Pool, PoolClient, PoolConfig } from 'pg';
import { type Driver, NotSent, type Row, type Session } from './driver.ts';
import { isFromServer } from './failures.ts';

/** How connections behave that this package opens itself. */
const connectionSettings = {
  application_name: 'steward',
  connectionTimeoutMillis: 5_000,
  // A server that does not answer is as good as gone: nothing waits for it longer than this.
  query_timeout: 10_000,
  statement_timeout: 10_000,
  idle_in_transaction_session_timeout: 10_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

const longestTimeout = 2 ** 31 - 1;

/** A driver over a pool of its own, closed with it. */
export async function openPool(connectionString: string, max: number): Promise<Driver> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ ...connectionSettings, connectionString, max });
  return poolDriver(pool, () => pool.end());
}

/** A connection that breaks says so to its pool while it is idle, else to itself; unheard, that would end the process. */
const heard = () => {};

/** Before anybody has it: what opens a connection and what ends it may come in one piece. */
function hear(client: PoolClient): void {
  if (!client.listeners('error').includes(heard)) client.on('error', heard);
}

/** A driver over a pool. Once heard, it stays so: some connections break after the pool has ended. */
export function poolDriver(pool: Pool, end: () => Promise<void> = async () => {}): Driver {
  if (!pool.listeners('error').includes(heard)) pool.on('error', heard).on('acquire', hear);
  return {
    isEmbedded: false,
    query: (text, values) => useClient(pool, (client) => rowsOf(client, text, values)),
    session: (work) => withSession(pool, work),
    reserve: () => {
      const own = oneMore(pool);
      return poolDriver(own, () => own.end());
    },
    close: end,
  };
}

/** A pool of one connection to where another pool connects. */
function oneMore(pool: Pool): Pool {
  const { options } = pool;
  const Kind = pool.constructor as new (config: PoolConfig) => Pool;
  // A pool hides its password from those who copy its options.
  const { password } = options;
  const same = { ...connectionSettings, ...options, ...(password !== undefined && { password }) };
  return new Kind({ ...same, max: 1, allowExitOnIdle: true });
}

async function rowsOf(client: PoolClient, text: string, values: readonly unknown[]) {
  const { rows } = await client.query<Row>(text, [...values]);
  return rows;
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (reason) {
    throw new NotSent(reason);
  }
}

/** Lends a client for one statement. One that failed without a word of the server is not used again. */
async function useClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let isSound = true;
  try {
    return await work(client);
  } catch (reason) {
    isSound = isFromServer(reason);
    throw reason;
  } finally {
    client.release(!isSound);
  }
}

async function withSession<T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  try {
    return await work({
      query: (text, values) => {
        // Waiting for another migration, or for an index, takes as long as it takes.
        const statement = { text, query_timeout: longestTimeout };
        return values === undefined
          ? client.query<Row>(statement)
          : client.query<Row>({ ...statement, values: [...values] });
      },
    });
  } finally {
    // What the session set must not surprise whoever would get this connection next.
    client.release(true);
  }
}
