/**
 * Every crash point, one by one and in pairs, by SIGKILL over PostgreSQL:
 * `node --conditions=@steward/source packages/store-postgres/test/faults/crash-matrix-main.ts [--only A[,B]] [--from N]
 * [--minutes N]`. The first owner dies at A, the one that takes over at B. Begins with case N, 0 being the first, and no
 * more cases after so many minutes. Ends with exit code 1 when a promise is broken.
 */
import { parseArgs } from 'node:util';
import { type CrashPointName, crashPointNames } from '@steward/core';
import { type FailOverReport, failOver } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';
import { startPostgres } from '../../../../scripts/lib/services.mjs';

const atOnce = 4;
const setUp = new URL('./set-up.ts', import.meta.url).href;
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    from: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '60' },
  },
});
const until = performance.now() + Number(values.minutes) * 60_000;

/** Who has to be there so that a process comes to the point. */
function personFor(deaths: readonly CrashPointName[]) {
  if (deaths.includes('after_cancel')) return 'cancels';
  return deaths[0] === 'after_release' ? 'replaces' : 'approves';
}

const singles = crashPointNames.map((name) => [name]);
const pairs = crashPointNames.flatMap((first) => crashPointNames.map((second) => [first, second]));
const asked = values.only?.split(',') as CrashPointName[] | undefined;
const cases = asked ? [asked] : [...singles, ...pairs].slice(Number(values.from));

const server = await startPostgres();
if (server === undefined) throw new Error('PostgreSQL is needed');
const connectionString = server.url;
const reports: (FailOverReport & { readonly deaths: readonly string[] })[] = [];
let next = 0;

async function work(): Promise<void> {
  for (let index = next++; index < cases.length; index = next++) {
    if (performance.now() > until) return;
    const deaths = cases[index] ?? [];
    const schema = `matrix_${index}`;
    await (await postgresStores({ connectionString, schema, migrate: true })).close();
    const person = personFor(deaths);
    const settings = { connectionString, schema };
    const report = await failOver({ setUp, settings, deaths, person });
    reports.push({ ...report, deaths });
    if (report.broken.length > 0) console.error(deaths.join(', '), report.broken);
    if (reports.length % 25 === 0) console.error(`${reports.length} of ${cases.length}`);
  }
}

const began = performance.now();
try {
  await Promise.all(Array.from({ length: atOnce }, work));
} finally {
  await server.stop();
}
const waits = reports.flatMap(({ recoveries }) => recoveries).toSorted((a, b) => a - b);
const broken = reports.filter((report) => report.broken.length > 0);
const figures = {
  points: crashPointNames.length,
  cases: `${reports.length} of ${cases.length}`,
  processesKilled: reports.reduce((sum, { died }) => sum + died.length, 0),
  bothDied: reports.filter(({ died }) => died.length === 2).length,
  pointsReached: new Set(reports.flatMap(({ died }) => died)).size,
  effects: reports.reduce((sum, { requests }) => sum + requests.length, 0),
  takeOverMs: {
    p50: Math.round(waits[Math.floor(waits.length / 2)] ?? 0),
    max: Math.round(waits.at(-1) ?? 0),
  },
  broken: broken.length,
  seconds: Math.round((performance.now() - began) / 1_000),
};
console.log(JSON.stringify(figures, null, 2));
process.exitCode = broken.length > 0 ? 1 : 0;
