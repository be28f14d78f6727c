import { describe, expect, it, onTestFinished } from 'vitest';
import { type RedisStores, redisStores } from '../src/index.ts';
import { privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

const owner = { tenantId: 'acme', userId: 'jane@example.com' };
const hour = 3_600_000;
const session = { owner, data: { refreshToken: 'very-secret' }, idleMs: hour, absoluteMs: hour };

async function open(url: string): Promise<RedisStores> {
  const stores = await redisStores({ url });
  onTestFinished(() => stores.close());
  return stores;
}

/** Everything that somebody sees who has got at the server. */
async function dump(admin: Awaited<ReturnType<typeof privateRedis>>['admin']): Promise<string> {
  const seen: unknown[] = [];
  for (const key of await admin.keys('*')) {
    seen.push(key);
    const type = await admin.type(key);
    if (type === 'hash') seen.push(await admin.hgetall(key));
    if (type === 'zset') seen.push(await admin.zrange(key, '0', '-1'));
    if (type === 'string') seen.push(await admin.get(key));
  }
  return JSON.stringify(seen);
}

describe.runIf(hasRedis)('sessions in Redis', () => {
  it('show nobody who reads the server an id, a user or a secret', async () => {
    const { url, admin } = await privateRedis();
    const { sessions } = await open(url);
    const id = await sessions.create(session);
    await sessions.update(id, { refreshToken: 'very-secret-too' });
    const seen = await dump(admin);
    expect(seen).toContain('session:');
    for (const secret of [id, id.slice(1), 'very-secret', 'acme', 'jane']) {
      expect(seen).not.toContain(secret);
      expect(seen).not.toContain(Buffer.from(secret).toString('base64').slice(0, -3));
    }
    const digests = seen.match(/[\w-]{43}/g) ?? [];
    for (const digest of digests) {
      expect(await sessions.read(`0${digest}`, { touch: true })).toBeNull();
    }
  });

  it('are no longer theirs whose data was moved to another session or changed', async () => {
    const { url, admin } = await privateRedis();
    const { sessions } = await open(url);
    const victim = await sessions.create({ ...session, owner: null });
    const [victims = ''] = await admin.keys('*:session:*');
    await sessions.create(session);
    const [others = ''] = (await admin.keys('*:session:*')).filter((key) => key !== victims);
    await admin.hset(victims, 'who', (await admin.hget(others, 'who')) ?? '');
    await expect(sessions.read(victim, { touch: false })).rejects.toMatchObject({
      code: 'internal',
    });
  });

  it('leave nothing behind after their time', async () => {
    const { url, admin } = await privateRedis();
    const { sessions } = await open(url);
    await sessions.create(session);
    const keys = await admin.keys('*');
    expect(keys.length).toBeGreaterThanOrEqual(2);
    for (const key of keys) {
      const left = await admin.pttl(key);
      expect(left > 0 && left <= hour, `${key}: ${left} ms`).toBe(true);
    }
  });

  it('list of a user what has not ended, however many sessions there were', async () => {
    const { url, admin } = await privateRedis();
    const { sessions } = await open(url);
    for (let count = 0; count < 20; count++) {
      await sessions.create({ ...session, idleMs: 1, absoluteMs: 1 });
    }
    await expect.poll(() => admin.keys('*:session:*')).toEqual([]);
    await sessions.create(session);
    const [list = ''] = await admin.keys('*:sessions:*');
    expect(await admin.zcard(list)).toBe(1);
  });

  it('are unavailable while Redis is, which is another thing than having ended', async () => {
    const server = await privateRedis('--appendonly', 'yes');
    const { sessions } = await open(server.url);
    const id = await sessions.create(session);
    await server.crash();
    const unavailable = { code: 'store_unavailable', retryable: true };
    await expect(sessions.read(id, { touch: true })).rejects.toMatchObject(unavailable);
    await expect(sessions.update(id, {})).rejects.toMatchObject(unavailable);
    await expect(sessions.create(session)).rejects.toMatchObject(unavailable);
    await expect(sessions.revokeAll(owner)).rejects.toMatchObject(unavailable);
    await server.start();
    await expect
      .poll(() => sessions.read(id, { touch: true }).catch(() => 'away'))
      .toMatchObject({ owner, data: session.data });
  });

  it('are over after a flush', async () => {
    const { url, admin } = await privateRedis();
    const { sessions } = await open(url);
    const id = await sessions.create(session);
    await admin.flushall();
    expect(await sessions.read(id, { touch: true })).toBeNull();
    expect(await sessions.update(id, {})).toBe(false);
  });
});
