import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { startRedis } from '../../../scripts/lib/redis-service.mjs';

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

/** A bounded wait for what another party brings about. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error(`did not happen within ${withinMs} ms: ${what}`);
}
