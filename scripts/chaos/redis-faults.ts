// What can become of Redis and of the way to it.
import { setTimeout as wait } from 'node:timers/promises';
import type { NetworkFault } from '@steward/core/testing';
import { Redis } from 'ioredis';
import type { Fault, Faults, Strike } from './targets.ts';

async function withRedis(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

function network(weight: number, fault: NetworkFault, [least, most]: [number, number]): Fault {
  return {
    weight,
    needs: 'redis',
    strike: async ({ redisProxy, random, note }) => {
      const ms = random.integer(least, most);
      note(`Redis: ${fault.kind} for ${ms} ms`);
      await redisProxy.set(fault);
      await wait(ms);
      await redisProxy.set({ kind: 'pass' });
    },
  };
}

function killed(weight: number, [least, most]: [number, number]): Fault {
  return {
    weight,
    needs: 'redis',
    strike: async ({ redis, random, note }: Strike) => {
      const ms = random.integer(least, most);
      note(`Redis is killed and back after ${ms} ms`);
      await redis.crash();
      await wait(ms);
      await redis.start();
    },
  };
}

export const redisFaults: Faults = {
  'redis killed': killed(4, [0, 500]),
  'redis absent': killed(3, [3_000, 12_000]),
  'redis flushed': {
    weight: 6,
    needs: 'redis',
    strike: async ({ redis, random, note }) => {
      const times = random.integer(1, 3);
      note(`Redis is flushed ${times} times`);
      for (let n = 0; n < times; n++) {
        await withRedis(redis.url, (client) => client.flushall());
        await wait(random.integer(0, 1_000));
      }
    },
  },
  'redis full': {
    weight: 4,
    needs: 'redis',
    strike: async ({ redis, random, note }) => {
      const ms = random.integer(500, 6_000);
      note(`Redis is full for ${ms} ms`);
      await withRedis(redis.url, async (client) => {
        await client.config('SET', 'maxmemory', '1');
        await wait(ms);
        await client.config('SET', 'maxmemory', '0');
      });
    },
  },
  'redis hang': network(3, { kind: 'hang' }, [500, 8_000]),
  'redis half-open': network(3, { kind: 'half_open' }, [200, 4_000]),
  'redis answers lost': network(2, { kind: 'lose_answers', times: 5 }, [300, 1_000]),
};
