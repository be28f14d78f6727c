import type { RateLimiter } from '@steward/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisStores } from '../src/index.ts';
import { eventually, privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

const hundred = { points: 100, windowMs: 600_000 };

async function open(url: string, replicas: number): Promise<RateLimiter> {
  const stores = await redisStores({ url, replicas });
  onTestFinished(() => stores.close());
  return stores.rateLimiter;
}

async function allowed(limiter: RateLimiter, key: string, tries = 200): Promise<number> {
  const takes = await Promise.all(Array.from({ length: tries }, () => limiter.take(key, hundred)));
  return takes.filter((take) => take.allowed).length;
}

describe.runIf(hasRedis)('a rate limiter whose Redis fails', () => {
  it('F19: allows each replica its part while Redis is away, then counts together again', async () => {
    const server = await privateRedis();
    const replicas = await Promise.all([1, 2, 3].map(() => open(server.url, 3)));
    await server.crash();
    for (const limiter of replicas) expect(await allowed(limiter, 'a')).toBe(33);
    await server.start();
    // A connection that is open may not be in use yet: each replica has to have counted something of its own.
    await eventually('each replica counts in Redis again', async () => {
      await Promise.all(replicas.map((limiter, index) => limiter.take(`probe-${index}`, hundred)));
      return (await server.admin.keys('*:rate:*')).length >= replicas.length;
    });
    const counts = await Promise.all(replicas.map((limiter) => allowed(limiter, 'b')));
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
  });

  it('allows at least one and never everything, with more replicas than points', async () => {
    const server = await privateRedis();
    const limiter = await open(server.url, 1_000);
    await server.crash();
    expect(await allowed(limiter, 'a')).toBe(1);
  });

  it('answers in a few seconds when Redis hangs, and at once after that', async () => {
    const server = await privateRedis();
    const limiter = await open(server.url, 10);
    server.signal('SIGSTOP');
    expect(await allowed(limiter, 'a', 50)).toBe(10);
    await eventually('it is known to be away', async () => {
      const start = performance.now();
      await limiter.take('a', hundred);
      return performance.now() - start < 100;
    });
    server.signal('SIGCONT');
  });
});
