// What the servers did meanwhile: CPU of Postgres' backends, time in each of our functions, CPU of Redis.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const requireOf = (folder) => createRequire(new URL(`../../packages/${folder}/`, import.meta.url));
const { Client } = requireOf('store-postgres')('pg');
const { default: Redis } = requireOf('store-redis')('ioredis');
const tickMs = 10;

/** A connection for questions about the server. */
export async function connect(postgresUrl) {
  const client = new Client(postgresUrl);
  await client.connect();
  return client;
}

function cpuMsOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return 0; // it has ended
  }
}

/** How far the counters of both servers have come. */
export async function serverLoad(postgres, redisUrl) {
  const { rows: backends } = await postgres.query(
    `select pid from pg_stat_activity where application_name = 'steward'`,
  );
  const postgresMs = backends.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
  const { rows: functions } = await postgres.query(
    'select funcname as name, calls::float8 as calls, total_time as ms from pg_stat_user_functions',
  );
  const redis = new Redis(redisUrl);
  const info = await redis.info('cpu');
  await redis.quit();
  const [, system] = /used_cpu_sys:([\d.]+)/.exec(info) ?? [];
  const [, user] = /used_cpu_user:([\d.]+)/.exec(info) ?? [];
  return { postgresMs, redisMs: (Number(system) + Number(user)) * 1_000, functions };
}
