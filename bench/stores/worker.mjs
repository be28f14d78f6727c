// One measurement of one subject in a fresh process, from the sources of the packages.
import { setTimeout as wait } from 'node:timers/promises';
import { quantile } from '../lib/statistics.mjs';
import { fullTable } from './full-table.mjs';
import { connect, serverLoad } from './server-load.mjs';
import { openSubject } from './subjects.mjs';

const job = JSON.parse(process.argv[2] ?? '{}');
const measures = { speed, first, waiting, full: fullTable };

try {
  const subject = await openSubject(job.subject, job);
  const result = await measures[job.measure](subject, job);
  await subject.close();
  process.send(result, () => process.exit());
} catch (reason) {
  process.send({ error: String(reason?.stack ?? reason) }, () => process.exit(1));
}

/** Runs, so many at a time: how many a second, and what one costs this process and the servers. */
async function speed({ assistant }, { runs, warm, atOnce, prompt, postgresUrl, redisUrl }) {
  const one = async () => {
    for await (const event of assistant.run(prompt)) {
      if (event.type === 'error') throw new Error(event.message);
    }
  };
  await inLanes(warm, atOnce, one);
  const postgres = await connect(postgresUrl);
  const before = await serverLoad(postgres, redisUrl);
  const cpu = process.cpuUsage();
  const start = performance.now();
  await inLanes(runs, atOnce, one);
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  // A backend brings the counters of functions up to date when it was idle for ten seconds.
  if (job.verbs) await wait(11_000);
  const after = await serverLoad(postgres, redisUrl);
  await postgres.end();
  const calls = new Map(before.functions.map((each) => [each.name, each]));
  const verbs = after.functions.map(({ name, calls: count, ms }) => ({
    name,
    calls: (count - (calls.get(name)?.calls ?? 0)) / runs,
    ms: (ms - (calls.get(name)?.ms ?? 0)) / runs,
  }));
  return {
    runsPerSecond: runs / seconds,
    cpuMs: (user + system) / 1_000 / runs,
    postgresMs: (after.postgresMs - before.postgresMs) / runs,
    redisMs: (after.redisMs - before.redisMs) / runs,
    verbs: verbs.filter(({ calls: count }) => count > 0),
  };
}

/** Runs one by one: milliseconds from `run` to its first token, and to its end. */
async function first({ assistant }, { runs, warm }) {
  const firsts = [];
  const ends = [];
  for (let run = 0; run < warm + runs; run += 1) {
    const start = performance.now();
    let firstMs;
    for await (const event of assistant.run('Go')) {
      if (event.type === 'token') firstMs ??= performance.now() - start;
    }
    if (run < warm) continue;
    firsts.push(firstMs);
    ends.push(performance.now() - start);
  }
  return {
    firstMs: quantile(firsts, 0.5),
    first95Ms: quantile(firsts, 0.95),
    endMs: quantile(ends, 0.5),
  };
}

/** Runs that wait for a person: what they hold in this process, and that each can still be decided. */
async function waiting({ assistant, stores }, { runs, atOnce }) {
  const ids = [];
  const owner = { tenantId: 'default', userId: 'local' };
  const ask = async () => {
    const run = assistant.call('asks', {});
    if ((await run.result()).status !== 'waiting') throw new Error('It does not wait');
    ids.push(run.id);
  };
  await inLanes(200, atOnce, ask);
  const before = await held();
  await inLanes(runs, atOnce, ask);
  const during = await held();
  const start = performance.now();
  let decided = 0;
  await inLanes(ids.length, atOnce, async (index) => {
    const run = await stores.runs.load(ids[index], owner);
    const [{ callId, argsDigest }] = run.calls;
    await assistant.confirm(ids[index], callId, { approve: true, argsDigest });
    const { status, text } = await assistant.attach(ids[index]).result();
    if (status === 'completed' && text === 'done') decided += 1;
  });
  const after = await held();
  return {
    bytesPerRun: (during.heap - before.heap) / runs,
    before,
    during,
    after,
    decided,
    of: ids.length,
    decideMs: (performance.now() - start) / ids.length,
  };
}

/** Heap after collection, and what keeps a process busy. */
async function held() {
  await wait(500);
  for (let pass = 0; pass < 3; pass += 1) globalThis.gc();
  const resources = process.getActiveResourcesInfo();
  return { heap: process.memoryUsage().heapUsed, handles: resources.length };
}

async function inLanes(count, lanes, work) {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
