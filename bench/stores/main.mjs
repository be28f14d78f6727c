// npm run bench -- --stores WHAT: what durable stores cost beside those of this process. Prints Markdown.
import { startRedis } from '../../scripts/lib/redis-service.mjs';
import { startPostgres } from '../../scripts/lib/services.mjs';
import { fail } from '../../scripts/lib/workspace.mjs';
import { measureInWorker } from '../lib/children.mjs';
import { median } from '../lib/statistics.mjs';
import { number, row } from '../lib/table.mjs';
import { connect } from './server-load.mjs';

export const storeMeasures = ['speed', 'first', 'waiting', 'full'];
const longMs = 1_800_000;
const flags = ['--conditions=@steward/source', '--expose-gc'];
const subjects = ['in-process', 'postgres', 'postgres + redis'];

/** Measures one thing on servers of its own. */
export async function measureStores(what, { rounds, runs }) {
  const postgres = await startPostgres();
  const redis = await startRedis();
  if (!postgres || !redis) fail('This takes PostgreSQL and Redis.');
  const servers = { postgresUrl: postgres.url, redisUrl: redis.url };
  try {
    await trackFunctions(postgres.url);
    await measures[what]({ servers, rounds, runs });
  } finally {
    await redis.stop();
    await postgres.stop();
  }
}

async function trackFunctions(url) {
  const client = await connect(url);
  await client.query(`alter system set track_functions = 'pl'`);
  await client.query('select pg_reload_conf()');
  await client.end();
}

const measures = { speed, first, waiting, full };

async function sample(subject, job) {
  const result = await measureInWorker(
    { ...job, ...job.servers, subject },
    flags,
    'stores/worker.mjs',
    longMs,
  );
  if (result.error) throw new Error(`${subject}: ${result.error}`);
  return result;
}

/** Results by subject; the subjects take turns within a round. */
async function inRounds(job, rounds) {
  const results = new Map(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) results.get(subject).push(await sample(subject, job));
  }
  return (subject, metric) => median(results.get(subject).map((result) => result[metric]));
}

function table(head, rows) {
  console.log(`${row(head)}\n${row(head.map((_, at) => (at === 0 ? '---' : '--:')))}`);
  for (const cells of rows) console.log(row(cells));
  console.log();
}

async function speed({ servers, rounds, runs = 1_500 }) {
  for (const prompt of ['answer', 'call']) {
    const job = { measure: 'speed', servers, prompt, runs, warm: 300, atOnce: 32 };
    const of = await inRounds(job, rounds);
    console.log(
      `\n### ${prompt === 'call' ? 'With one tool call' : 'Without tools'}, 32 at a time\n`,
    );
    table(
      [
        '',
        'runs per second',
        'CPU of the replica, ms',
        'CPU of PostgreSQL, ms',
        'CPU of Redis, ms',
      ],
      subjects.map((subject) => [
        subject,
        ...['runsPerSecond', 'cpuMs', 'postgresMs', 'redisMs'].map((metric) =>
          number(of(subject, metric)),
        ),
      ]),
    );
    const { verbs } = await sample('postgres', { ...job, verbs: true });
    table(
      ['function', 'calls per run', 'ms per call, with those it calls'],
      verbs
        .toSorted((a, b) => b.ms - a.ms)
        .slice(0, 12)
        .map(({ name, calls, ms }) => [`\`${name}\``, Math.round(calls), number(ms / calls)]),
    );
  }
}

async function first({ servers, rounds, runs = 400 }) {
  const of = await inRounds({ measure: 'first', servers, runs, warm: 100 }, rounds);
  table(
    ['ms', 'first token, p50', 'first token, p95', 'end, p50'],
    subjects.map((subject) => [
      subject,
      ...['firstMs', 'first95Ms', 'endMs'].map((metric) => number(of(subject, metric))),
    ]),
  );
}

async function waiting({ servers, runs = 10_000 }) {
  const rows = [];
  for (const subject of ['postgres', 'postgres + redis']) {
    const job = { measure: 'waiting', servers, runs, atOnce: 16 };
    const { before, during, after, bytesPerRun, decided, of, decideMs } = await sample(
      subject,
      job,
    );
    const heap = [before, during, after].map((at) => `${number(at.heap / 2 ** 20)} MB`);
    const handles = [before, during, after].map((at) => at.handles).join(', ');
    rows.push([
      subject,
      ...heap,
      number(bytesPerRun),
      handles,
      `${decided} of ${of}`,
      number(decideMs),
    ]);
  }
  table(
    [
      '',
      'heap before',
      'waiting',
      'after',
      'bytes per run',
      'handles',
      'decided and ended',
      'ms each',
    ],
    rows,
  );
}

async function full({ servers, runs = 1_000_000 }) {
  const { seconds, runTimes, tables } = await sample('postgres', {
    measure: 'full',
    servers,
    runs,
  });
  console.log(`${runs} ended runs, made in ${number(seconds)} s\n`);
  table(
    ['one run, ms', 'p50', 'p95'],
    runTimes.map(({ name, ms50, ms95 }) => [name, number(ms50), number(ms95)]),
  );
  table(
    ['table', 'size', 'updates', 'of them in place'],
    tables.map(({ name, size, updates, hot }) => [`\`${name}\``, size, updates, hot]),
  );
}
