// Everything that a campaign runs on, started on free ports of this machine and gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultProxy } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';
import { startRedis } from '../lib/redis-service.mjs';
import { startPostgres } from '../lib/services.mjs';
import { startChild } from './child.ts';
import { Clocks } from './clocks.ts';
import { Fleet } from './fleet.ts';
import { type LedgerEntry, readLedger } from './ledger.ts';
import type { ReplicaSettings } from './replica-settings.ts';
import type { Targets } from './targets.ts';

export interface World extends Targets {
  readonly ledger: () => LedgerEntry[];
}

/** Dead after four seconds, looked for twice a second: a campaign need not wait as long as a day does. */
const timing: Pick<ReplicaSettings, 'lease' | 'limits' | 'drainMs'> = {
  lease: { ttlMs: 4_000, beatMs: 800, sweepMs: 500 },
  limits: {
    runTimeoutMs: 60_000,
    toolTimeoutMs: 5_000,
    connectTimeoutMs: 3_000,
    firstTokenTimeoutMs: 5_000,
    betweenTokensTimeoutMs: 2_000,
    decideWithinMs: 6_000,
    useWithinMs: 30_000,
  },
  drainMs: 2_000,
};

/** Starts it all; `stack` ends it. */
export async function startWorld(
  stack: AsyncDisposableStack,
  replicas: number,
  seed: number,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'steward-chaos-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const servers = await startServers(stack);
  const ledgerFile = join(folder, 'ledger.jsonl');
  const model = startChild('model-server', [String(seed)]);
  const tools = startChild('tool-server', [String(seed), ledgerFile]);
  stack.defer(async () => {
    for (const child of [model, tools]) child.signal('SIGTERM');
    await Promise.all([model.exit, tools.exit]);
  });
  const clocks = new Clocks(folder);
  const fleet = new Fleet({
    replicas,
    folder,
    settings: {
      ...timing,
      replicas,
      postgresUrl: servers.postgresProxy.url,
      redisUrl: servers.redisProxy.url,
      modelUrl: await model.url,
      toolsUrl: await tools.url,
    },
    environment: (name) => clocks.environment(name),
  });
  stack.defer(() => fleet.close());
  await fleet.start();
  return { ...servers, clocks, fleet, ledger: () => readLedger(ledgerFile) };
}

async function startServers(stack: AsyncDisposableStack) {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis('--appendonly', 'yes')]);
  if (!postgres || !redis) {
    throw new Error('PostgreSQL and Redis are needed, and one of them is not here.');
  }
  stack.defer(async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  });
  await (await postgresStores({ connectionString: postgres.url, migrate: true })).close();
  const postgresProxy = stack.use(await faultProxy({ target: postgres.url }));
  const redisProxy = stack.use(await faultProxy({ target: redis.url }));
  return { postgres, redis, postgresProxy, redisProxy };
}
