// One campaign: calm runs, runs under faults, calm runs; then quiet, and the oracle.
import { seededRandom } from '@steward/core/testing';
import { backAt, type Holdings, holdingsOf } from './baseline.ts';
import { Crowd } from './crowd.ts';
import { untilRows } from './database.ts';
import { FaultDriver } from './fault-driver.ts';
import { type Breach, type Evidence, judge } from './oracle.ts';
import { storyOf } from './story.ts';
import { TakeoverWatch } from './takeover-watch.ts';
import { startWorld, type World } from './world.ts';

export interface CampaignOptions {
  readonly runs: number;
  readonly faults: number;
  readonly replicas: number;
  readonly seed: number;
  /** How many are there at the same time. */
  readonly clients: number;
}

export interface CampaignReport {
  readonly seconds: number;
  readonly evidence: Evidence;
  readonly driver: FaultDriver;
  /** Seconds that runs were without an owner. */
  readonly takeovers: readonly number[];
  readonly before: Holdings;
  readonly after: Holdings;
  readonly breaches: readonly Breach[];
  /** The story of one run for each kind of breach. */
  readonly stories: readonly string[];
}

const onlyWhenAsked = 'I11 a process ends when it is asked to, and only then';
const progressMs = 5_000;
const quietWithinMs = 60_000;
/** Of the runs, these are calm at the beginning and at the end. */
const calmShare = 0.05;

export async function runCampaign(
  options: CampaignOptions,
  progress: (line: string) => void,
): Promise<CampaignReport> {
  await using stack = new AsyncDisposableStack();
  const began = performance.now();
  const world = await startWorld(stack, options.replicas, options.seed);
  const { fleet, postgres } = world;
  const watch = new TakeoverWatch(postgres.url);
  const driver = new FaultDriver(world, seededRandom(options.seed), watch);
  const crowd = new Crowd(options, world);
  const timer = setInterval(() => {
    const [runs, faults] = [
      `${crowd.done} of ${options.runs}`,
      `${driver.struck} of ${options.faults}`,
    ];
    const latest = driver.incidents.at(-1)?.what ?? 'calm';
    progress(`${runs} runs, ${faults} faults, ${fleet.up.length} replicas up; latest: ${latest}`);
  }, progressMs);
  stack.defer(() => clearInterval(timer));

  const calm = Math.ceil(options.runs * calmShare);
  await crowd.live(calm);
  const before = await holdingsOf(fleet);
  await liveThroughFaults(options.runs - 2 * calm, options.faults, crowd, driver);
  await fleet.whole();
  await crowd.live(options.runs - crowd.done);
  await watch.over();
  const open = 'select from run where finished_at is null limit 1';
  await untilRows(postgres.url, open, (rows) => rows.length === 0, quietWithinMs);
  const { after, breaches: grown } = await backAt(before, fleet);
  await fleet.close();
  const verdict = await judgeAll(world, crowd, driver);
  return {
    ...verdict,
    seconds: (performance.now() - began) / 1_000,
    driver,
    takeovers: watch.seconds,
    before,
    after,
    breaches: [...grown, ...verdict.breaches],
  };
}

/** Faults are spread evenly over the runs. */
async function liveThroughFaults(runs: number, faults: number, crowd: Crowd, driver: FaultDriver) {
  await crowd.live(runs, (done) => {
    while (driver.struck < faults && driver.struck * runs < done * faults) driver.strike();
  });
  await driver.over();
}

async function judgeAll({ fleet, postgres, ledger }: World, crowd: Crowd, driver: FaultDriver) {
  const evidence: Evidence = { testimonies: crowd.testimonies, ledger: ledger() };
  const breaches: Breach[] = [
    ...fleet.faults.map((details) => ({ promise: onlyWhenAsked, runId: null, details })),
    ...(await judge(postgres.url, evidence)),
  ];
  // One of each kind.
  const kinds = new Map(breaches.map(({ promise, runId }) => [promise, runId]));
  const stories: string[] = [];
  for (const runId of new Set([...kinds.values()].filter((id) => id !== null))) {
    stories.push(await storyOf(postgres.url, runId, evidence, driver.incidents));
  }
  return { evidence, breaches, stories };
}
