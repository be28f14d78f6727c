import { once } from 'node:events';
import { createServer } from 'node:net';
import { StewardError } from '@steward/core';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bullMqEngine, redisStores } from '../src/index.ts';
import { privateCluster, privateRedis } from './private-redis.ts';
import { hasRedis, redisUrl } from './test-redis.ts';

const doors = { redisStores, bullMqEngine };

/** What a refused start says. */
async function refusal(start: Promise<unknown>): Promise<string> {
  const reason: unknown = await start.then(
    () => 'it started',
    (thrown: unknown) => thrown,
  );
  if (!(reason instanceof StewardError)) throw new Error(`not a StewardError: ${String(reason)}`);
  expect(reason.code).toBe('store_unavailable');
  return reason.detail;
}

/** A server that says the same to every command. */
async function fakeServer(answer: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (said) => {
      for (const _ of String(said).matchAll(/^\*/gm)) socket.write(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

describe.each(Object.entries(doors))('%s()', (name, open) => {
  it.each([
    [{}, 'give one of url and client'],
    [{ url: 'redis://127.0.0.1', client: new Redis({ lazyConnect: true }) }, 'give one of'],
    [{ url: 'http://127.0.0.1' }, 'url must begin with redis://'],
    [{ url: 'redis://127.0.0.1/steward' }, 'the number of the database'],
    [{ url: 'redis://127.0.0.1', prefix: 'a{b}' }, 'prefix must be'],
    [{ client: { status: 'ready' } as unknown as Redis }, 'client must be a Redis'],
  ])('takes no address such as %o', async (options, says) => {
    const reason: unknown = await open(options).catch((thrown: unknown) => thrown);
    expect(reason).toBeInstanceOf(TypeError);
    expect(String(reason)).toContain(`${name}: `);
    expect(String(reason)).toContain(says);
  });

  it('says that nothing listens at the address', async () => {
    expect(await refusal(open({ url: 'redis://127.0.0.1:1' }))).toMatch(
      /ECONNREFUSED.*Nothing listens there/,
    );
  });

  it('says that there is no such host', async () => {
    expect(await refusal(open({ url: 'redis://no-such-host.invalid' }))).toMatch(
      /There is no such host/,
    );
  });

  it('says that the server is too old', async () => {
    const url = await fakeServer(bulk('redis_version:5.0.14\r\n'));
    expect(await refusal(open({ url }))).toMatch(/Redis 5\.0\.14; Redis 6\.2 or newer is needed/);
  });

  it('says that something else listens there', async () => {
    const url = await fakeServer('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await refusal(open({ url }))).toMatch(/Redis cannot be used/);
  });

  describe.runIf(hasRedis)('on a real server', () => {
    it('says that the password is wrong or missing', async () => {
      const { url } = await privateRedis('--requirepass', 'secret');
      expect(await refusal(open({ url: url.replace('//', '//:wrong@') }))).toMatch(
        /The user or the password is wrong/,
      );
      expect(await refusal(open({ url }))).toMatch(/The server wants a password/);
      const opened = await open({ url: url.replace('//', '//:secret@') });
      await ('close' in opened ? opened.close() : opened.stop(0));
    });

    it('does not start on one that evicts keys, and says what to set', async () => {
      const { url } = await privateRedis('--maxmemory-policy', 'allkeys-lru');
      expect(await refusal(open({ url }))).toMatch(/maxmemory-policy allkeys-lru.*noeviction/);
    });

    it('does not start on a replica, and names its primary', async () => {
      const primary = await privateRedis();
      const { url } = await privateRedis('--replicaof', '127.0.0.1', String(primary.port));
      expect(await refusal(open({ url }))).toContain(`its primary (127.0.0.1:${primary.port})`);
    });

    it('does not start on one server of a Cluster, and says which address it takes', async () => {
      const { url } = await privateCluster();
      expect(await refusal(open({ url }))).toMatch(/one of a Cluster.*redis\+cluster:\/\//);
    });

    it('does not start for a user who lacks a right, and says which', async () => {
      const { url, admin } = await privateRedis();
      await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-xadd');
      const app = url.replace('//', '//app:secret@');
      expect(await refusal(open({ url: app }))).toMatch(/XADD: .*commands that the README lists/);
    });

    it('says that there is no such database', async () => {
      expect(await refusal(open({ url: `${redisUrl}/999` }))).toMatch(/no database of that number/);
    });

    it('leaves a client of yours open, and says how it connects', async () => {
      const client = new Redis(redisUrl);
      onTestFinished(() => client.disconnect());
      const opened = await open({ client, prefix: 'test:mine' });
      await ('close' in opened ? opened.close() : opened.stop(0));
      expect(await client.ping()).toBe('PONG');
    });
  });
});

describe('the numbers', () => {
  it('of redisStores are positive integers', async () => {
    for (const name of ['streamEvents', 'replayMs', 'replicas']) {
      await expect(redisStores({ url: redisUrl, [name]: 0 })).rejects.toThrow(TypeError);
    }
  });

  it('of bullMqEngine too', async () => {
    await expect(bullMqEngine({ url: redisUrl, concurrency: 1.5 })).rejects.toThrow(TypeError);
  });
});
