import { setTimeout as wait } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { startRedis } from '../../../scripts/lib/redis-service.mjs';
import { freePort } from '../../../scripts/lib/services.mjs';

/** A server of one test, which may do with it what it likes. */
export async function privateRedis(...settings: string[]) {
  const server = await startRedis(...settings);
  if (server === undefined) throw new Error('no redis-server');
  const admin = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  admin.on('error', () => {});
  onTestFinished(async () => {
    admin.disconnect();
    await server.stop();
  });
  return { ...server, admin };
}

/** A Cluster of one server. */
export async function privateCluster() {
  const settings = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  // The usual port of the bus is 10,000 higher, where there may be none.
  const server = await privateRedis(...settings, '--cluster-port', String(await freePort()));
  await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  const client = new Cluster([{ host: '127.0.0.1', port: server.port }], { lazyConnect: true });
  onTestFinished(() => client.disconnect());
  await eventually('the cluster is up', async () =>
    String(await server.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  return { ...server, client };
}

/** A bounded wait for what another party brings about. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error(`did not happen within ${withinMs} ms: ${what}`);
}
