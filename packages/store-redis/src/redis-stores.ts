import {
  type BreakerStore,
  type Hints,
  inProcessStores,
  type LiveLog,
  type RateLimiter,
} from '@steward/core';
import type { Cache, SessionStore } from '@steward/core/host';
import { redisBreakerStore } from './breakers/redis-breaker-store.ts';
import { RedisCache } from './cache/redis-cache.ts';
import { checkAddress, type RedisAddress } from './connection/address.ts';
import { closeClient, joinClient, openClient } from './connection/open-client.ts';
import {
  blockingOptions,
  checkPrefix,
  isCluster,
  listeningOptions,
  makeClient,
  promptOptions,
} from './connection/redis-client.ts';
import { RedisHints } from './hints/redis-hints.ts';
import { RedisLiveLog } from './live-log/redis-live-log.ts';
import { redisRateLimiter } from './rate-limiter/redis-rate-limiter.ts';
import { RedisSessionStore } from './sessions/redis-session-store.ts';

/** Which Redis, and how much is kept there. One of `url` and `client` is given. */
export interface RedisStoresOptions extends RedisAddress {
  /** What all keys begin with; `steward` by default. */
  readonly prefix?: string | undefined;
  /** Events that the stream of a run keeps at least; 5,000 by default. */
  readonly streamEvents?: number | undefined;
  /** Milliseconds that the stream of an ended run can be replayed; an hour by default. */
  readonly replayMs?: number | undefined;
  /** Processes that share the rate limits: while Redis is away each allows its part; 1 by default. */
  readonly replicas?: number | undefined;
}

/** What Redis does for an assistant, whose stores take the first three, and for the web application around it. */
export interface RedisStores {
  /** Streams of all processes. */
  readonly liveLog: LiveLog;
  /** Limits that all processes share. */
  readonly rateLimiter: RateLimiter;
  /** Circuit breakers that open for all processes. */
  readonly breakers: BreakerStore;
  /** Log-ins of a web application. */
  readonly sessions: SessionStore;
  /** Values that all processes share. */
  readonly cache: Cache;
  /** What is asked of a run reaches its process at once, whichever that is. */
  readonly hints: Hints;
  /** Sends what is buffered and closes the connections. */
  close(): Promise<void>;
}

const where = 'redisStores';
const defaults = { streamEvents: 5_000, replayMs: 60 * 60 * 1000, replicas: 1 };

/**
 * What several processes share on Redis 6.2 or newer. For assistants: the live log, so that what one of them streams can
 * be read in all, rate limits, breakers and hints. For the web application around them: sessions and a cache. Nothing is kept
 * here but log-ins that the stores do not have as well: Redis may be away or be flushed, and runs go on. It starts with
 * everything in order or not at all.
 *
 * @throws TypeError naming the option that is not acceptable; StewardError `store_unavailable` that says what is wrong
 * with the server and what to do.
 * @example
 * ```ts
 * import { Assistant, demoModel, inProcessStores } from '@steward/core';
 * import { redisStores } from '@steward/store-redis';
 *
 * const redis = await redisStores({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' });
 * const { liveLog, rateLimiter, breakers, hints } = redis;
 * const stores = { ...inProcessStores(), liveLog, rateLimiter, breakers, hints };
 * const assistant = new Assistant({ model: demoModel(), stores });
 * console.log(await assistant.run('Hello').text());
 * await assistant.close();
 * await redis.close();
 * ```
 */
export async function redisStores(options: RedisStoresOptions): Promise<RedisStores> {
  const { prefix, streamEvents, replayMs, replicas } = check(options);
  const commands = makeClient(options, promptOptions);
  await openClient(commands, { where, prefix });
  const local = inProcessStores();
  const join = (clientOptions: typeof blockingOptions) => {
    const client = makeClient(options, clientOptions);
    joinClient(client, where);
    return client;
  };
  const hints = new RedisHints({ prefix, commands, openListening: () => join(listeningOptions) });
  const liveLog = new RedisLiveLog({
    prefix,
    commands,
    openReading: () => join(blockingOptions),
    isCluster: isCluster(options),
    limits: { events: streamEvents, replayMs },
  });
  return {
    liveLog,
    hints,
    rateLimiter: redisRateLimiter({
      prefix,
      client: commands,
      local: local.rateLimiter,
      replicas,
    }),
    breakers: redisBreakerStore({ prefix, client: commands, local: local.breakers }),
    sessions: new RedisSessionStore(prefix, commands),
    cache: new RedisCache(prefix, commands),
    close: async () => {
      await liveLog.close();
      hints.close();
      await local.close();
      closeClient(commands);
    },
  };
}

function check(options: RedisStoresOptions) {
  checkAddress(options, where);
  const { prefix = 'steward' } = options;
  checkPrefix(prefix, where);
  const numbers = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name] ?? defaults[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`${where}: ${name} must be a positive integer, not ${value}`);
    }
    numbers[name] = value;
  }
  return { ...numbers, prefix };
}
