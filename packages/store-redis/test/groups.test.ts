import type { LiveLog, RunEvent } from '@steward/core';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCluster, startWatched } from '../../../scripts/lib/redis-groups.mjs';
import { type RedisStores, redisStores } from '../src/index.ts';
import { tagOf } from '../src/live-log/stream-keys.ts';
import { eventually, privateRedis } from './private-redis.ts';
import { read } from './read-log.ts';
import { hasRedis, newPrefix } from './test-redis.ts';

const hour = 3_600_000;
const owner = { tenantId: 'tenant-1', userId: 'user-1' };

async function open(url: string): Promise<RedisStores> {
  const stores = await redisStores({ url, prefix: newPrefix() });
  onTestFinished(() => stores.close());
  return stores;
}

function token(runId: string, k: number): RunEvent {
  return { type: 'token', runId, at: 1, cursor: `1-${k}`, turn: 1, text: 'x' };
}

describe.runIf(hasRedis)('a server that a Sentinel replaces', () => {
  it('takes log-ins and streams along: they go on where they were', async () => {
    const group = await startWatched();
    if (group === undefined) throw new Error('no redis-server');
    onTestFinished(() => group.stop());
    const { sessions, liveLog } = await open(group.url);
    const id = await sessions.create({ owner, data: {}, idleMs: hour, absoluteMs: hour });
    const writer = liveLog.open({ runId: 'run-1', incarnation: 'life-1' }, 1);
    const reader = await liveLog.tail({ runId: 'run-1', incarnation: 'life-1' });
    if (reader === undefined) throw new Error('no reader');
    for (let k = 0; k < 50; k++) writer.publish(token('run-1', k));
    expect(await read(reader, 50)).toHaveLength(50);

    const [primary, replica] = group.servers;
    const standby = new Redis(replica?.url ?? '');
    onTestFinished(() => standby.disconnect());
    await eventually('the replica has it all', async () => {
      const [stream] = await standby.keys('*:log:*');
      // With the entry that begins the stream.
      return stream !== undefined && (await standby.xlen(stream)) === 51;
    });
    await primary?.crash();
    for (let k = 50; k < 100; k++) writer.publish(token('run-1', k));
    await eventually(
      'the log-in is there',
      async () => (await sessions.read(id, { touch: true }).catch(() => null)) !== null,
    );
    expect(await standby.info('replication')).toContain('role:master');
    expect(await read(reader, 50)).toEqual(Array.from({ length: 50 }, (_, k) => `1-${50 + k}`));
  });
});

const runs = Array.from({ length: 64 }, (_, index) => `run-${index}`);

describe.runIf(hasRedis)('64 runs that are read at once', () => {
  /** Reads all of them, and counts the connections that wait at the servers meanwhile. */
  async function reading(
    liveLog: LiveLog,
    servers: readonly string[],
  ): Promise<() => Promise<number>> {
    for (const runId of runs) {
      const key = { runId, incarnation: 'life-1' };
      liveLog.open(key, 1).publish(token(runId, 0));
      const reader = await liveLog.tail(key);
      if (reader === undefined) throw new Error('no reader');
      expect(await read(reader, 1)).toEqual(['1-0']);
      reader.wait(() => {});
    }
    const admins = servers.map((url) => new Redis(url));
    onTestFinished(() => {
      for (const admin of admins) admin.disconnect();
    });
    return async () => {
      const lists = await Promise.all(admins.map((admin) => admin.client('LIST')));
      const clients = lists.flatMap((list) => String(list).split('\n'));
      return clients.filter((line) => /flags=b.*cmd=xread/.test(line)).length;
    };
  }

  it('take one connection on a server', async () => {
    const server = await privateRedis();
    const { liveLog } = await open(server.url);
    const waiting = await reading(liveLog, [server.url]);
    await expect.poll(waiting).toBe(1);
  });

  it('take one connection per tag on a Cluster, of which there are sixteen', async () => {
    const group = await startCluster();
    if (group === undefined) throw new Error('no redis-server');
    onTestFinished(() => group.stop());
    const { liveLog } = await open(group.url);
    const waiting = await reading(
      liveLog,
      group.servers.map(({ url }) => url),
    );
    const tags = new Set(runs.map(tagOf));
    expect(tags.size).toBeGreaterThan(10);
    expect(tags.size).toBeLessThanOrEqual(16);
    await expect.poll(waiting).toBe(tags.size);
  });
});
