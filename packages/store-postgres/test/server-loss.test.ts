import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Assistant } from '@steward/core';
import { scriptedModel } from '@steward/core/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startPostgres } from '../../../scripts/lib/services.mjs';
import { openPool } from '../src/database/pool-driver.ts';
import { type PostgresStores, postgresStores } from '../src/index.ts';
import { newRun, owner } from './samples.ts';

/** The last message with which a server opens a connection. */
const readyForQuery = Buffer.from('Z\0\0\0\x05I', 'latin1');

type Server = Awaited<ReturnType<typeof startPostgres>>;

/** A server of its own, since it is stopped; there is one where the other tests have one. */
describe.skipIf(inject('postgresUrl') === null)('a server that goes away', () => {
  let server: NonNullable<Server>;
  let stores: PostgresStores;

  beforeAll(async () => {
    const started = await startPostgres();
    if (started === undefined) throw new Error('This test needs the binaries of a server.');
    server = started;
    stores = await postgresStores({ connectionString: server.url, migrate: true });
  });

  afterAll(async () => {
    await stores?.close();
    await server?.stop();
  });

  /** An owned run. */
  async function started() {
    const run = newRun();
    await stores.runs.create(run);
    return { runId: run.runId, epoch: 1 };
  }

  /** Appends events one after the other, so many at once. */
  function append(fence: { runId: string; epoch: number }, from: number, count: number) {
    const { runId, epoch } = fence;
    return Array.from({ length: count }, (_, index) =>
      stores.runs.append(fence, [
        {
          type: 'warning',
          runId,
          at: 1,
          cursor: `${epoch}-${from + index}`,
          code: 'internal',
          message: '',
        },
      ]),
    );
  }

  async function endAllConnections(): Promise<void> {
    const admin = new pg.Client(server.url);
    await admin.connect();
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
    );
    await admin.end();
  }

  async function cursors(runId: string): Promise<string[]> {
    const log = await stores.runs.events(runId, 0, 1_000);
    expect(log.map(({ n }) => n)).toEqual(log.map((_, index) => index + 1));
    return log.map(({ event }) => event.cursor);
  }

  it('is waited for by the verbs that were called meanwhile', async () => {
    const fence = await started();
    await server.crash();
    const verbs = append(fence, 0, 10);
    const created = stores.runs.create(newRun());
    await server.start();
    await Promise.all(verbs);
    expect((await created).kind).toBe('claimed');
    expect(new Set(await cursors(fence.runId)).size).toBe(10);
  });

  it('loses nothing that it acknowledged, and doubles nothing that is sent again', async () => {
    const fence = await started();
    await Promise.all(append(fence, 0, 50));
    // These are under way when the server stops: some took effect and their answer was lost, some did not.
    const underWay = append(fence, 50, 200);
    await underWay[0];
    await server.crash();
    await server.start();
    await Promise.all(underWay);
    const seen = await cursors(fence.runId);
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
  });

  it('breaks no process when it ends all connections, idle ones and busy ones', async () => {
    const fence = await started();
    const verbs = append(fence, 0, 100);
    await verbs[0];
    await endAllConnections();
    await Promise.all(verbs);
    await endAllConnections();
    expect(new Set(await cursors(fence.runId)).size).toBe(100);
  });

  it('breaks no process when it ends a connection in the same breath that opens it', async () => {
    const relay = createServer((client) => {
      const upstream = connect(Number(new URL(server.url).port), '127.0.0.1');
      client.pipe(upstream);
      const answers: Buffer[] = [];
      let isOpen = false;
      upstream.on('data', (answer: Buffer) => {
        answers.push(answer);
        if (isOpen || !answer.includes(readyForQuery)) return;
        isOpen = true;
        void endAllConnections();
      });
      upstream.once('end', () => client.end(Buffer.concat(answers)));
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    const driver = await openPool(`postgres://postgres@127.0.0.1:${port}/postgres`, 1);
    await expect(driver.query('select 1', [])).rejects.toThrow(/connection error/);
    await driver.close();
    relay.close();
  });

  it.each([
    ['takes longer than its timeout', { statement_timeout: 100 }],
    ['waits too long for a lock', { options: '-c lock_timeout=100' }],
  ])('is one that is away, and not our fault, where a statement %s', async (_, settings) => {
    const fence = await started();
    const pool = new pg.Pool({ connectionString: server.url, ...settings });
    const hasty = await postgresStores({ pool });
    const locking = new pg.Client(server.url);
    await locking.connect();
    await locking.query(
      `begin; select from steward.run where run_id = '${fence.runId}' for update`,
    );
    const refused = await hasty.runs.release(fence).catch((reason: unknown) => reason);
    await locking.end();
    expect(refused).toMatchObject({ code: 'store_unavailable' });
    await hasty.close();
    await pool.end();
  });

  it('does not end a run that is under way', async () => {
    const model = scriptedModel(async () => {
      await server.crash();
      void server.start();
      return { text: 'Still here' };
    });
    const assistant = new Assistant({ model, stores });
    const run = assistant.run('Are you there?', owner);
    expect(await run.text()).toBe('Still here');
    expect((await stores.runs.load(run.id, owner))?.epoch).toBe(1);
    await assistant.close();
  });
});
