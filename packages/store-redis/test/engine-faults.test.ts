import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type RunEngine, StewardError, type Wake } from '@steward/core';
import { faultProxy } from '@steward/core/testing';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bullMqEngine } from '../src/index.ts';
import { eventually, privateCluster, privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

async function open(url: string): Promise<RunEngine> {
  const engine = await bullMqEngine({ url });
  onTestFinished(() => engine.stop(0));
  return engine;
}

/** How many clients wait at the server. */
async function blocked(admin: Redis): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await admin.info('clients'))?.[1]);
}

describe.runIf(hasRedis)('an engine whose Redis fails', () => {
  it('refuses work at once while Redis is away, and goes on when it is back', async () => {
    const server = await privateRedis('--appendonly', 'yes');
    const engine = await open(server.url);
    const handled: string[] = [];
    await engine.start(async ({ runId }) => {
      handled.push(runId);
    });
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await eventually('the first is handled', () => handled.length === 1);
    await server.crash();
    const start = performance.now();
    const refused = await engine.enqueue({ runId: 'run-2', segment: 1 }).catch((reason) => reason);
    expect(refused).toBeInstanceOf(StewardError);
    expect(refused.code).toBe('store_unavailable');
    expect(performance.now() - start).toBeLessThan(20_000);
    await server.start();
    await eventually('it takes work again', async () => {
      try {
        await engine.enqueue({ runId: 'run-3', segment: 1 });
        return true;
      } catch {
        return false;
      }
    });
    await eventually('the third is handled', () => handled.includes('run-3'));
  });

  it('goes on after a flush: the segment that was queued again is handled', async () => {
    const server = await privateRedis();
    const engine = await open(server.url);
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await server.admin.flushall();
    const handled: string[] = [];
    await engine.start(async ({ runId }) => {
      handled.push(runId);
    });
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await eventually('it is handled', () => handled.length > 0);
    expect(handled).toEqual(['run-1']);
  });

  it('goes on when its connections had become mute', async () => {
    const server = await privateRedis();
    await using proxy = await faultProxy({ target: server.url });
    const engine = await open(proxy.url);
    const handled: string[] = [];
    await engine.start(async ({ runId }) => {
      handled.push(runId);
    });
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await eventually('the first is handled', () => handled.length === 1);
    // Those that are open stay so for good, and nobody is told.
    await proxy.set({ kind: 'half_open' });
    await proxy.set({ kind: 'pass' });
    const other = await open(server.url);
    await other.enqueue({ runId: 'run-2', segment: 1 });
    await eventually('the second is handled', () => handled.length === 2, 25_000);
    expect(handled).toEqual(['run-1', 'run-2']);
  }, 30_000);

  it('goes on with a segment whose lock was lost: whose run it is only its store says', async () => {
    const server = await privateRedis();
    const engine = await open(server.url);
    const aborted: string[] = [];
    const over = Promise.withResolvers<void>();
    await engine.start(async ({ runId }, signal) => {
      signal.addEventListener('abort', () => aborted.push(runId));
      await over.promise;
    });
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await eventually('it runs', () => engine.stats().running === 1);
    await server.admin.flushall();
    await engine.enqueue({ runId: 'run-2', segment: 1 });
    await eventually('the next one runs', () => engine.stats().running === 2);
    // The lock of the first one was to be renewed before that of the second one.
    let left = Number.POSITIVE_INFINITY;
    await eventually('the lock of the second is renewed', async () => {
      const before = left;
      left = await server.admin.pttl('{steward}:runs:run-2_1:lock');
      return left > before;
    });
    expect(aborted).toEqual([]);
    over.resolve();
    await eventually('their places are free', () => engine.stats().running === 0);
  });

  it('gives the segment of a killed process to another one', async () => {
    const server = await privateRedis();
    const child = fork(new URL('./working-process.ts', import.meta.url), [server.url], {
      execArgv: ['--conditions=@steward/source'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'message');
    const engine = await open(server.url);
    await engine.enqueue({ runId: 'run:1', segment: 7 });
    await once(child, 'message');
    child.kill('SIGKILL');
    const start = performance.now();
    const handled: string[] = [];
    await engine.start(async ({ runId, segment }) => {
      handled.push(`${runId}/${segment}`);
    });
    // It was killed before it claimed the run: the same segment that a sweep brings again is not one more.
    await engine.enqueue({ runId: 'run:1', segment: 7 });
    await eventually('it is taken over', () => handled.length > 0);
    expect(handled).toEqual(['run:1/7']);
    expect(performance.now() - start).toBeLessThan(8_000);
  });

  it('does not wait for one that hangs with the news of a job', async () => {
    const server = await privateRedis();
    await using proxy = await faultProxy({ target: server.url });
    const [hanging, engine] = [await open(proxy.url), await open(server.url)];
    await hanging.start(async () => {});
    await eventually('it waits for work', async () => (await blocked(server.admin)) === 1);
    const handled: string[] = [];
    await engine.start(async ({ runId }) => {
      handled.push(runId);
    });
    await eventually('the other one as well', async () => (await blocked(server.admin)) === 2);
    await proxy.set({ kind: 'half_open' });
    const start = performance.now();
    // The server gives the news to whom it thinks has waited longest.
    await engine.enqueue({ runId: 'run-1', segment: 1 });
    await eventually('it is handled', () => handled.length === 1);
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  it('leaves work that it no longer takes to others', async () => {
    const server = await privateRedis();
    const [one, two] = [await open(server.url), await open(server.url)];
    await one.start(async () => {});
    await one.stop(0);
    await two.enqueue({ runId: 'run-1', segment: 1 });
    const handled: string[] = [];
    await two.start(async ({ runId }) => {
      handled.push(runId);
    });
    await eventually('it is handled', () => handled.length > 0);
    await expect(one.enqueue({ runId: 'run-2', segment: 1 })).rejects.toThrow('[closed]');
  });

  it('stops in time while Redis is away', async () => {
    const server = await privateRedis();
    const engine = await open(server.url);
    await engine.start(async () => {});
    await server.crash();
    const start = performance.now();
    await engine.stop(100);
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it('works on a Cluster', async () => {
    const { client } = await privateCluster();
    const [one, two] = [await bullMqEngine({ client }), await bullMqEngine({ client })];
    onTestFinished(() => one.stop(0));
    onTestFinished(() => two.stop(0));
    const handled = new Set<string>();
    const handler = async ({ runId }: Wake) => {
      handled.add(runId);
    };
    await Promise.all([one.start(handler), two.start(handler)]);
    for (let index = 0; index < 100; index++) {
      await one.enqueue({ runId: `run-${index}`, segment: 1 });
    }
    await eventually('all are handled', () => handled.size === 100);
    expect(handled.size).toBe(100);
  });

  it('keeps nothing of segments that are over', async () => {
    const server = await privateRedis();
    const engine = await open(server.url);
    let handled = 0;
    await engine.start(async () => {
      handled += 1;
      if (handled === 7) throw new Error('a handler that does what it must not');
    });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => engine.enqueue({ runId: `r${index}`, segment: 1 })),
    );
    await eventually('all are handled', () => handled === 50 && engine.stats().running === 0);
    await engine.stop(1_000);
    const left = await server.admin.keys('*');
    expect(left.filter((name) => /:r\d+_1/.test(name))).toEqual([]);
    expect(left.length).toBeLessThan(8);
  });
});
