import type { Lease } from '@steward/core';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../scripts/lib/redis-service.mjs';
import { startPostgres } from '../../../scripts/lib/services.mjs';
import { Replica } from './fail-over/fleet.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `null` where there is no server. */
    readonly redisUrl: string | null;
  }
}

const hasServers = inject('postgresUrl') !== null && inject('redisUrl') !== null;

/** Two replicas as processes; the second one watches the runs of the first. */
async function twoReplicas(drainMs: number, lease: Lease) {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  if (!postgres || !redis) throw new Error('no postgres or no redis');
  onTestFinished(async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  });
  const settings = { postgresUrl: postgres.url, redisUrl: redis.url, lease, drainMs, tokenMs: 20 };
  const open = async () => {
    const replica = await Replica.open(settings);
    onTestFinished(() => replica.end('SIGKILL'));
    return replica;
  };
  // The first one migrates.
  return [await open(), await open(), open] as const;
}

async function watched(watcher: Replica, runIds: readonly string[]) {
  watcher.tell({ do: 'watch', runIds });
  for (const runId of runIds) await watcher.untilEvent(runId, ({ type }) => type === 'token');
}

describe.runIf(hasServers)('replicas on Postgres and Redis', () => {
  it('F1: take over what one was streaming that was killed, and its readers elsewhere go on', async () => {
    const [first, second] = await twoReplicas(0, { ttlMs: 3_000, beatMs: 250, sweepMs: 100 });
    const runIds = await first.start(3);
    await watched(second, runIds);
    await first.end('SIGKILL');
    for (const runId of runIds) {
      const reset = await second.untilEvent(runId, ({ type }) => type === 'turn_reset');
      expect(reset.epoch).toBe(2);
      await second.untilEvent(runId, ({ type, epoch }) => type === 'token' && epoch === 2);
    }
    second.tell({ do: 'cancel', runIds });
    for (const runId of runIds) await second.untilEvent(runId, ({ type }) => type === 'cancelled');
  });

  it('F7: told to end one after the other, they hand their runs on at once', async () => {
    const [watcher, second, open] = await twoReplicas(200, {
      ttlMs: 60_000,
      beatMs: 250,
      sweepMs: 120_000,
    });
    const third = await open();
    const owners = [second, third];
    const runs = await Promise.all(owners.map((owner) => owner.start(3)));
    await watched(watcher, runs.flat());
    for (const [index, owner] of owners.entries()) {
      const told = Date.now();
      await owner.end('SIGTERM');
      expect(owner.reports.some(({ says }) => says === 'closed')).toBe(true);
      for (const runId of runs[index] ?? []) {
        const isNext = ({ type, epoch }: { type: string; epoch: number }) =>
          type === 'token' && epoch >= 2;
        const { at } = await watcher.untilEvent(runId, isNext);
        // A run that was queued and not brought to anybody would wait for a sweep.
        expect(at - told).toBeLessThan(60_000);
      }
      await open();
    }
    watcher.tell({ do: 'cancel', runIds: runs.flat() });
    for (const runId of runs.flat()) {
      await watcher.untilEvent(runId, ({ type }) => type === 'cancelled');
    }
  });
});
