// Several real Redis servers that belong together, for tests: a Cluster, and a primary that a Sentinel watches.
import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { startConfigured, startRedis } from './redis-service.mjs';
import { freePort, which } from './services.mjs';

/** @typedef {import('./redis-service.mjs').RedisServer} RedisServer */
/**
 * @typedef {object} RedisGroup
 * @property {string} url
 * @property {readonly RedisServer[]} servers
 * @property {() => Promise<void>} stop
 */

/**
 * A Cluster of so many masters, each with a part of the slots; `undefined` where there is no Redis.
 * @param {number} [masters]
 * @returns {Promise<RedisGroup | undefined>}
 */
export async function startCluster(masters = 3) {
  const servers = await all(
    Array.from({ length: masters }, async () => {
      // The usual port of the bus is 10,000 higher, where there may be none.
      const bus = ['--cluster-port', String(await freePort())];
      return startRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', ...bus);
    }),
  );
  if (servers === undefined) return undefined;
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
  ask(servers[0], ['--cluster', 'create', ...nodes, '--cluster-yes']);
  for (const server of servers) {
    await until('the Cluster is whole', () =>
      ask(server, ['CLUSTER', 'INFO']).includes('cluster_state:ok'),
    );
  }
  return group(`redis+cluster://${nodes.join(',')}`, servers);
}

/**
 * A primary, a replica of it, and a Sentinel that calls them `main`; `undefined` where there is no Redis.
 * @returns {Promise<RedisGroup | undefined>}
 */
export async function startWatched() {
  // Else it waits five seconds for more replicas.
  const primary = await startRedis('--repl-diskless-sync-delay', '0');
  if (primary === undefined) return undefined;
  const replica = await startRedis('--replicaof', '127.0.0.1', String(primary.port));
  if (replica === undefined) return undefined;
  await until('the replica follows', () =>
    ask(replica, ['INFO', 'replication']).includes('master_link_status:up'),
  );
  const sentinel = await startConfigured(
    [
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      // Soon for a test, and not so soon that it takes a busy machine for a server that is down.
      'sentinel down-after-milliseconds main 3000',
      'sentinel failover-timeout main 6000',
      '',
    ].join('\n'),
    '--sentinel',
  );
  if (sentinel === undefined) return undefined;
  await until('the Sentinel knows the replica', () =>
    ask(sentinel, ['SENTINEL', 'REPLICAS', 'main']).includes(String(replica.port)),
  );
  return group(`redis+sentinel://127.0.0.1:${sentinel.port}/main`, [primary, replica, sentinel]);
}

/** @param {string} url @param {readonly RedisServer[]} servers @returns {RedisGroup} */
function group(url, servers) {
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  return { url, servers, stop };
}

/** @param {readonly Promise<RedisServer | undefined>[]} starting */
async function all(starting) {
  const started = (await Promise.all(starting)).filter((server) => server !== undefined);
  return started.length === starting.length ? started : undefined;
}

/** @param {RedisServer | undefined} server @param {readonly string[]} command @returns {string} */
function ask(server, command) {
  const place = ['-h', '127.0.0.1', '-p', String(server?.port)];
  const { stdout } = spawnSync(which('redis-cli') ?? 'valkey-cli', [...place, ...command], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return stdout;
}

/** @param {string} what @param {() => boolean} holds */
async function until(what, holds) {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Redis: did not happen in 20 s: ${what}`);
    await wait(50);
  }
}
