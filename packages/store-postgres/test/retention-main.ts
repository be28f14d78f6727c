// What retention costs those who work meanwhile: a table of ended runs, half of which may go.
// node scripts/run.mjs pnpm exec node --conditions=@steward/source packages/store-postgres/test/retention-main.ts --runs 100000
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../../../scripts/lib/services.mjs';
import { type PostgresStores, postgresStores } from '../src/index.ts';
import { newRun } from './samples.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '100000' } } });
const count = Number(values.runs);
const dayMs = 86_400_000;
const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;

/** Ended runs, one per second back from now to twice the policy's age; each with turns, calls, events and an account. */
const history = (from: number, step: number) => `
  set search_path to steward;
  insert into run (
    run_id, incarnation, tenant_id, user_id, conversation_id, lane, principal, input, options, status, is_head, epoch,
    woken_at, created_at, deadline_ms, deadline_at, finished_at, ending
  )
  select 'old-' || n, '', 'tenant-1', 'user-' || n % 1000, 'c-' || n, n, '{}', '{}', '{}', 'succeeded', true, 1,
    t, t, 1, t, t, '{}'
  from generate_series(1, ${count}) n, lateral (select ${from} + n * ${step} as t) x;
  insert into run_event select run_id, n, '{"type":"warning"}' from run, generate_series(1, 8) n;
  insert into turn select run_id, n, '{}' from run, generate_series(1, 2) n;
  insert into usage_entry
  select tenant_id, user_id, run_id || n, owner_key(tenant_id, user_id), created_at, 1, true
  from run, generate_series(1, 5) n;
  analyze;`;

async function live({ runs }: PostgresStores): Promise<number> {
  const start = performance.now();
  const run = newRun();
  await runs.create(run);
  await runs.finish({ runId: run.runId, epoch: 1 }, ended, { content: 'Done.' }, []);
  return performance.now() - start;
}

/** Runs that are lived one after the other until the work is done; at least 300. */
async function times(stores: PostgresStores, work: Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  let isDone = false;
  const done = work.then(() => {
    isDone = true;
  });
  while (!isDone || all.length < 300) all.push(await live(stores));
  await done;
  return all.sort((a, b) => a - b);
}

const show = (what: string, all: number[]) => {
  const at = (share: number) => all[Math.floor(all.length * share)]?.toFixed(1);
  console.log(
    `${what}: ${all.length} runs, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${all.at(-1)?.toFixed(1)} ms`,
  );
};

const server = await startPostgres();
if (server === undefined) throw new Error('This needs the binaries of a server.');
const stores = await postgresStores({ connectionString: server.url, migrate: true });
try {
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query(history(Date.now() - 2 * dayMs, Math.floor((2 * dayMs) / count)));
  await admin.end();
  show('before ', await times(stores, Promise.resolve()));
  const start = performance.now();
  const policy = { detailsMs: dayMs / 2, runsMs: dayMs, usageMs: dayMs };
  const retaining = stores.retain(policy);
  show('during ', await times(stores, retaining));
  const seconds = (performance.now() - start) / 1_000;
  console.log(JSON.stringify(await retaining), `in ${seconds.toFixed(1)} s`);
  show('after  ', await times(stores, Promise.resolve()));
} finally {
  await stores.close();
  await server.stop();
}
