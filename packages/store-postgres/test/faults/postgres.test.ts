import type { Assistant } from '@steward/core';
import { faultProxy } from '@steward/core/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startPostgres } from '../../../../scripts/lib/services.mjs';
import { type PostgresStores, postgresStores } from '../../src/index.ts';
import { databases } from '../drivers.ts';
import { newRun } from '../samples.ts';
import { until } from './fleet.ts';
import { Worker } from './worker.ts';

const postgresUrl = inject('postgresUrl') ?? '';
const [database] = databases;
const hourMs = 3_600_000;

/** Work in a schema of the tests' server, over connections of its own. */
async function inSchema(
  options: pg.PoolConfig,
  work: (worker: Worker, schema: string, pool: pg.Pool) => Promise<void>,
): Promise<void> {
  if (database === undefined) throw new Error('no server');
  const sound = await database.open();
  const pool = new pg.Pool({ connectionString: postgresUrl, ...options });
  const stores = await postgresStores({ pool, schema: sound.schema });
  const worker = new Worker(stores);
  try {
    await work(worker, sound.schema, pool);
  } finally {
    await worker.close();
    await stores.close();
    await pool.end();
    await database.close(sound);
  }
}

const admin = async (url: string, ...statements: readonly string[]) => {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
};
const everybodyElse = `select pg_terminate_backend(pid) from pg_stat_activity
  where pid <> pg_backend_pid() and datname is not null`;

describe.skipIf(postgresUrl === '')('PostgreSQL that fails', () => {
  it('F10: of ten that find an abandoned run at once, one goes on with it', async () => {
    await inSchema({ max: 10 }, async (worker) => {
      const dying = worker.assistant({
        crashPoint: (name) => (name === 'after_create' ? new Promise(() => {}) : undefined),
      });
      const { id } = dying.run('Send it');
      await until(async () => (await worker.stores.runs.load(id, null)) !== null);
      const others = Array.from({ length: 10 }, () =>
        worker.assistant({ lease: { ttlMs: 5_000, beatMs: 500, sweepMs: 200 } }),
      );
      const [other] = others;
      if (other) worker.follow(other.attach(id));
      expect(await worker.broken()).toEqual([]);
      // Ten owners would be ten epochs; on a slow machine the one may lose its lease.
      expect((await worker.stores.runs.load(id, null))?.epoch).toBeLessThan(5);
    });
  });

  it('F13: half-open, its packets vanish: queries give up, other connections are made, runs go on', async () => {
    await using proxy = await faultProxy({ target: postgresUrl });
    const quick = {
      connectionString: proxy.url,
      query_timeout: 1_500,
      connectionTimeoutMillis: 1_500,
    };
    await inSchema({ ...quick, max: 4 }, async (worker) => {
      const vanish = () => worker.effects.length === 1 && proxy.set({ kind: 'half_open' });
      const assistant = worker.assistant({ tools: [worker.tool(vanish)] });
      const run = worker.follow(assistant.run('Send it'));
      await until(() => proxy.struck > 0);
      await proxy.set({ kind: 'pass' });
      const back = performance.now();
      expect((await run.result()).text).toBe('It is done.');
      expect(performance.now() - back).toBeLessThan(20_000);
      expect(await worker.broken()).toEqual([]);
    });
  });

  it('F14: its pool busy with slow queries of the host: no lease is lost', async () => {
    await inSchema({ max: 2 }, async (worker, _, pool) => {
      const slow = () => Promise.all([1, 2].map(() => pool.query('select pg_sleep(5)')));
      const assistant = worker.assistant({
        tools: [worker.tool(slow)],
        lease: { ttlMs: 4_000, beatMs: 250, sweepMs: 50 },
      });
      const run = worker.follow(assistant.run('Send it'));
      expect((await run.result()).text).toBe('It is done.');
      expect(await worker.broken()).toEqual([]);
      expect((await worker.stores.runs.load(run.id, null))?.epoch).toBe(1);
      expect(worker.effects).toHaveLength(1);
    });
  });

  it('F16: conflicts and deadlocks on the row of a run are tried again, and leave nothing half done', async () => {
    const options = '-c default_transaction_isolation=serializable';
    await inSchema({ max: 10, options }, async (worker, schema, pool) => {
      const [one, two] = [newRun(), newRun()];
      const fences = [one, two].map(({ runId }) => ({ runId, epoch: 1 }));
      for (const run of [one, two]) await worker.stores.runs.create(run);
      const event = (n: number) =>
        ({
          type: 'warning',
          runId: one.runId,
          at: 1,
          cursor: `1-${n + 1}`,
          code: 'internal',
          message: '',
        }) as const;
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          worker.stores.runs.append({ runId: one.runId, epoch: 1 }, [event(n)]),
        ),
      );
      const stored = await worker.stores.runs.events(one.runId, 0, 100);
      expect(new Set(stored.map(({ event: { cursor } }) => cursor)).size).toBe(stored.length);

      // Somebody locks the second row and then wants the first, which the renewal has while it waits for the second.
      const [first = '', second = ''] = fences.map(({ runId }) => runId).toSorted();
      const other = new pg.Client(postgresUrl);
      await other.connect();
      const lock = (runId: string) =>
        other.query(`select from ${schema}.run where run_id = $1 for update`, [runId]);
      // Whoever waited first finds the deadlock, and gives way.
      await other.query("set deadlock_timeout = '5s'");
      await other.query('begin');
      const [{ pid }] = (await other.query('select pg_backend_pid() as pid')).rows;
      await lock(second);
      const renewal = worker.stores.runs.renew(fences, 60_000);
      renewal.catch(() => undefined);
      try {
        const isBlocked = 'select from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
        await until(async () => (await pool.query(isBlocked, [pid])).rows.length > 0);
        await lock(first).catch(() => undefined);
        await other.query('rollback');
      } finally {
        await other.end();
      }
      expect((await renewal).map(({ runId }) => runId).toSorted()).toEqual([first, second]);
    });
  });

  it('F36: approved eight hours later on a new build: what is as it was runs, what has changed does not', async () => {
    await inSchema({ max: 4 }, async (worker, schema, pool) => {
      const asking = (description: string) => ({
        tools: [{ ...worker.tool(undefined, description), confirm: 'always' as const }],
      });
      const old = worker.assistant(asking('Sends'));
      const runs = [old.run('Send it'), old.run('Send it')];
      const asked = await Promise.all(runs.map((run) => run.result()));
      await old.close();
      const clock = `create or replace function ${schema}.now_ms() returns bigint language sql volatile as $$
        select floor(extract(epoch from clock_timestamp()) * 1000)::bigint`;
      await pool.query(`${clock} + ${8 * hourMs} $$`);
      try {
        const approve = async (assistant: Assistant, index: number) => {
          const run = worker.follow(assistant.attach(runs[index]?.id ?? ''));
          await run.confirm(asked[index]?.confirmations[0]?.callId ?? '', { approve: true });
          return run.result();
        };
        const began = performance.now();
        const same = worker.assistant(asking('Sends'));
        expect((await approve(same, 0)).toolCalls[0]?.outcome).toBe('succeeded');
        expect(performance.now() - began).toBeLessThan(30_000);
        await same.close();
        const other = worker.assistant(asking('Sends and deletes'));
        expect((await approve(other, 1)).toolCalls[0]).toMatchObject({
          outcome: 'failed',
          code: 'tool_changed',
        });
        expect(worker.effects).toHaveLength(1);
        expect(await worker.broken()).toEqual([]);
      } finally {
        await pool.query(`${clock} $$`);
      }
    });
  });
});

/** A server of its own, since it is stopped. */
describe.skipIf(postgresUrl === '')('a PostgreSQL that is stopped', () => {
  let server: NonNullable<Awaited<ReturnType<typeof startPostgres>>>;
  let stores: PostgresStores;
  let worker: Worker;

  beforeAll(async () => {
    const started = await startPostgres();
    if (started === undefined) throw new Error('This test needs the binaries of a server.');
    server = started;
    stores = await postgresStores({ connectionString: server.url, migrate: true });
  });

  beforeEach(() => {
    worker = new Worker(stores);
  });

  afterEach(() => worker.close());

  afterAll(async () => {
    await stores?.close();
    await server?.stop();
  });

  it('F11: stopped at once under load and started again: no run fails, and nothing happens twice', async () => {
    const assistant = worker.assistant();
    const runs = Array.from({ length: 10 }, () => worker.follow(assistant.run('Send it')));
    await until(() => worker.effects.length > 0);
    await server.crash();
    const late = worker.follow(assistant.run('Send it'));
    await server.start();
    for (const run of [...runs, late]) expect((await run.result()).text).toBe('It is done.');
    expect(await worker.broken()).toEqual([]);
  });

  it('F12: away for longer than a lease: owners stop by themselves, and runs go on when it is back', async () => {
    const stopped = Promise.withResolvers<void>();
    const untilStopped = (signal: AbortSignal) =>
      worker.effects.length > 1
        ? undefined
        : new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              stopped.resolve();
              resolve(undefined);
            });
          });
    const assistant = worker.assistant({ tools: [worker.tool(untilStopped)] });
    const run = worker.follow(assistant.run('Send it'));
    await until(() => worker.effects.length === 1);
    await server.crash();
    await stopped.promise;
    expect(worker.effects).toHaveLength(1);
    await server.start();
    const back = performance.now();
    expect((await run.result()).text).toBe('It is done.');
    expect(performance.now() - back).toBeLessThan(20_000);
    expect(await worker.broken()).toEqual([]);
  });

  it('F15: all connections terminated again and again: no process ends, and no run fails', async () => {
    const assistant = worker.assistant();
    for (let round = 0; round < 8; round++) {
      const runs = Array.from({ length: 4 }, () => worker.follow(assistant.run('Send it')));
      await until(() => worker.effects.length > round * 4);
      await admin(server.url, everybodyElse);
      for (const run of runs) expect((await run.result()).text).toBe('It is done.');
    }
    expect(await worker.broken()).toEqual([]);
  });
});
