// One campaign: servers, replicas, clients and faults; then quiet, and the oracle.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';
import { startRedis } from '../lib/redis-service.mjs';
import { startPostgres } from '../lib/services.mjs';
import { startChild } from './child.ts';
import { Client, type Testimony } from './client.ts';
import { FaultDriver } from './faults.ts';
import { Fleet } from './fleet.ts';
import { readLedger } from './ledger.ts';
import { type Breach, type Evidence, judge, openSchema } from './oracle.ts';
import { planOf } from './plan.ts';
import { storyOf } from './story.ts';

export interface CampaignOptions {
  readonly runs: number;
  readonly faults: number;
  readonly replicas: number;
  readonly seed: number;
  readonly clients: number;
}

export interface CampaignReport {
  readonly seconds: number;
  readonly evidence: Evidence;
  readonly driver: FaultDriver;
  readonly breaches: readonly Breach[];
  /** The stories of the first broken runs. */
  readonly stories: readonly string[];
}

/** Dead after four seconds, looked for twice a second: a campaign need not wait as long as a day does. */
const lease = { ttlMs: 4_000, beatMs: 800, sweepMs: 500 };
const limits = {
  runTimeoutMs: 60_000,
  toolTimeoutMs: 5_000,
  connectTimeoutMs: 3_000,
  firstTokenTimeoutMs: 5_000,
  betweenTokensTimeoutMs: 2_000,
  decideWithinMs: 6_000,
  useWithinMs: 30_000,
};
const giveUpMs = 120_000;

export async function runCampaign(
  options: CampaignOptions,
  progress: (line: string) => void,
): Promise<CampaignReport> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'steward-chaos-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis('--appendonly', 'yes')]);
  if (!postgres || !redis)
    throw new Error('PostgreSQL and Redis are needed, and one of them is not here.');
  stack.defer(async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  });
  await (await postgresStores({ connectionString: postgres.url, migrate: true })).close();

  const ledgerFile = join(folder, 'ledger.jsonl');
  const seed = String(options.seed);
  const [model, tools] = [
    startChild('model-server', [seed]),
    startChild('tool-server', [seed, ledgerFile]),
  ];
  stack.defer(async () => {
    for (const child of [model, tools]) child.signal('SIGTERM');
    await Promise.all([model.exit, tools.exit]);
  });
  const fleet = new Fleet({
    replicas: options.replicas,
    folder,
    settings: {
      postgresUrl: postgres.url,
      redisUrl: redis.url,
      modelUrl: await model.url,
      toolsUrl: await tools.url,
      replicas: options.replicas,
      drainMs: 2_000,
      lease,
      limits,
    },
    environment: () => ({}),
  });
  stack.defer(() => fleet.close());
  await fleet.start();

  const began = performance.now();
  const driver = new FaultDriver(fleet, seededRandom(options.seed));
  const testimonies = await liveThrough(options, fleet, driver, progress);
  const seconds = (performance.now() - began) / 1_000;
  await driver.over();
  await fleet.whole();
  await quiet(postgres.url);
  await fleet.close();
  const evidence = { testimonies, ledger: readLedger(ledgerFile) };
  const breaches = [
    ...fleet.faults.map((details) => ({
      promise: 'I11 no process ends by itself, and each when asked',
      runId: null,
      details,
    })),
    ...(await judge(postgres.url, evidence)),
  ];
  const stories = await tell(postgres.url, breaches, evidence, driver);
  return { seconds, evidence, driver, breaches, stories };
}

/** All clients, so many at a time; faults are spread evenly over them. */
async function liveThrough(
  { runs, faults, seed, clients }: CampaignOptions,
  fleet: Fleet,
  driver: FaultDriver,
  progress: (line: string) => void,
): Promise<Testimony[]> {
  const testimonies: Testimony[] = [];
  let [started, struck] = [0, 0];
  const one = async () => {
    while (started < runs) {
      const index = started++;
      const random = seededRandom(seed * 1_000_003 + index);
      const requestId = `${seed}-${index}`;
      const plan = planOf(`t${index}`, random);
      const client = new Client({ plan, requestId, random, giveUpMs, urls: () => fleet.urls });
      testimonies.push(await client.live());
      while (struck < faults && testimonies.length * faults >= (struck + 1) * runs * 0.95) {
        struck += 1;
        driver.strike();
      }
    }
  };
  const timer = setInterval(() => {
    progress(
      `${testimonies.length} of ${runs} runs, ${struck} of ${faults} faults, ${fleet.up.length} replicas up`,
    );
  }, 5_000);
  await Promise.all(Array.from({ length: clients }, one));
  clearInterval(timer);
  return testimonies;
}

/** Until no run is open, also those that no client waits for. */
async function quiet(postgresUrl: string): Promise<void> {
  const client = await openSchema(postgresUrl);
  for (let tries = 0; tries < 300; tries++) {
    const { rows } = await client.query('select from run where finished_at is null limit 1');
    if (rows.length === 0) break;
    await wait(200);
  }
  await client.end();
}

async function tell(
  postgresUrl: string,
  breaches: readonly Breach[],
  evidence: Evidence,
  driver: FaultDriver,
) {
  const broken = [...new Set(breaches.flatMap(({ runId }) => (runId === null ? [] : [runId])))];
  const client = await openSchema(postgresUrl);
  const stories: string[] = [];
  for (const runId of broken.slice(0, 3))
    stories.push(await storyOf(client, runId, evidence, driver.incidents));
  await client.end();
  return stories;
}
