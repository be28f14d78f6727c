import { describe, expect, it, onTestFinished } from 'vitest';
import { type RedisStores, redisStores } from '../src/index.ts';
import { privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

const hour = 3_600_000;

async function open(url: string): Promise<RedisStores> {
  const stores = await redisStores({ url });
  onTestFinished(() => stores.close());
  return stores;
}

describe.runIf(hasRedis)('a cache whose Redis or whose processes fail', () => {
  it('loads in another process when the one that loads has died', async () => {
    const { url, admin } = await privateRedis();
    const [dead, { cache }] = [await open(url), await open(url)];
    const isLoading = Promise.withResolvers<void>();
    void dead.cache.getOrSet('k', hour, () => {
      isLoading.resolve();
      return new Promise(() => {});
    });
    await isLoading.promise;
    const asked = cache.getOrSet('k', hour, async () => 'loaded');
    // Its lease runs out.
    const [lease = ''] = await admin.keys('*:load');
    expect(await admin.pttl(lease)).toBeGreaterThan(1_000);
    await admin.pexpire(lease, 50);
    expect(await asked).toBe('loaded');
  });

  it('does not keep what came too late, after another process had loaded', async () => {
    const { url, admin } = await privateRedis();
    const [late, { cache }] = [await open(url), await open(url)];
    const [isLoading, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    const asked = late.cache.getOrSet('k', hour, () => {
      isLoading.resolve();
      return goOn.promise;
    });
    await isLoading.promise;
    await admin.del(await admin.keys('*:load'));
    expect(await cache.getOrSet('k', hour, async () => 'newer')).toBe('newer');
    goOn.resolve('older');
    expect(await asked).toBe('older');
    expect(await cache.get('k')).toBe('newer');
  });

  it('loads once per process while Redis is away, and does not hide that it cannot forget', async () => {
    const server = await privateRedis();
    const { cache } = await open(server.url);
    await cache.set('k', 'kept', hour);
    await server.crash();
    let loads = 0;
    const load = async () => ++loads;
    expect(await cache.get('k')).toBeUndefined();
    const asked = await Promise.all([1, 2, 3].map(() => cache.getOrSet('k', hour, load)));
    expect(asked).toEqual([1, 1, 1]);
    const unavailable = { code: 'store_unavailable', retryable: true };
    await expect(cache.delete('k')).rejects.toMatchObject(unavailable);
    await expect(cache.set('k', 'new', hour)).rejects.toMatchObject(unavailable);
  });

  it('leaves nothing behind after its time', async () => {
    const { url, admin } = await privateRedis();
    const { cache } = await open(url);
    await cache.getOrSet('k', hour, async () => 1);
    await cache.set('l', 2, hour);
    const keys = await admin.keys('*');
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(0);
  });
});

describe.runIf(hasRedis)('breakers whose Redis fails', () => {
  it('open in each process alone while it is away', async () => {
    const server = await privateRedis();
    const [one, other] = [await open(server.url), await open(server.url)];
    await server.crash();
    await one.breakers.open('crm', hour);
    expect(await one.breakers.admit('crm', hour)).toMatchObject({ allowed: false });
    expect(await other.breakers.admit('crm', hour)).toEqual({ allowed: true, isProbe: false });
    await one.breakers.close('crm');
    expect(await one.breakers.admit('crm', hour)).toEqual({ allowed: true, isProbe: false });
  });

  it('are forgotten a day after their cooling', async () => {
    const { url, admin } = await privateRedis();
    const { breakers } = await open(url);
    await breakers.open('crm', hour);
    const [key = ''] = await admin.keys('*:breaker:*');
    const left = await admin.pttl(key);
    expect(left > hour && left <= 25 * hour).toBe(true);
  });
});
