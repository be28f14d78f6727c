import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Json } from '@steward/core';
import type { Cache } from '@steward/core/host';
import type { RedisClient } from '../connection/redis-client.ts';
import { defineScript, digest, orUnavailable, type Script, wholeMs } from '../script.ts';

/** After this, another process loads as well: the first one may have died. */
const leaseMs = 10_000;
const firstPauseMs = 10;
const longestPauseMs = 200;

/** Returns the value in a list, or 1 to whom it is to load. */
const beginScript = `
local value = redis.call('GET', KEYS[1])
if value then return {value} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ${leaseMs}) then return 1 end
return 0
`;

/** Keeps what was loaded, unless the value was set or deleted, or loaded by another one, in the meantime. */
const endScript = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return end
redis.call('DEL', KEYS[2])
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
`;

const setScript = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
`;

/** A Cache on Redis. While that is away nothing is there, and every process loads for itself. */
export class RedisCache implements Cache {
  readonly #prefix: string;
  readonly #client: RedisClient;
  readonly #begin: Script;
  readonly #end: Script;
  readonly #set: Script;
  readonly #loads = new Map<string, Promise<Json>>();

  constructor(prefix: string, client: RedisClient) {
    this.#prefix = prefix;
    this.#client = client;
    this.#begin = defineScript(client, 'stewardCacheBegin', beginScript, 2);
    this.#end = defineScript(client, 'stewardCacheEnd', endScript, 2);
    this.#set = defineScript(client, 'stewardCacheSet', setScript, 2);
  }

  async get(key: string): Promise<Json | undefined> {
    const [name] = this.#keysOf(key);
    const text = await this.#client.call('GET', name).catch(() => null);
    return typeof text === 'string' ? parsed(text) : undefined;
  }

  /** Throws `store_unavailable`: what was there before may still be. */
  async set(key: string, value: Json, ttlMs: number): Promise<void> {
    this.#loads.delete(key);
    await this.#set(this.#keysOf(key), JSON.stringify(value), wholeMs(ttlMs));
  }

  /** Throws `store_unavailable`: what was there may still be. */
  async delete(key: string): Promise<void> {
    this.#loads.delete(key);
    await orUnavailable(this.#client.call('DEL', ...this.#keysOf(key)));
  }

  async getOrSet(key: string, ttlMs: number, load: () => Promise<Json>): Promise<Json> {
    const underWay = this.#loads.get(key);
    if (underWay !== undefined) return underWay;
    const loading = this.#getOrLoad(this.#keysOf(key), ttlMs, load);
    this.#loads.set(key, loading);
    try {
      return await loading;
    } finally {
      if (this.#loads.get(key) === loading) this.#loads.delete(key);
    }
  }

  /** The value, ours to load or soon another one's. */
  async #getOrLoad(keys: Keys, ttlMs: number, load: () => Promise<Json>): Promise<Json> {
    const token = randomUUID();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      const answer = await this.#begin(keys, token).catch(() => 'away' as const);
      if (answer === 'away') return load();
      if (Array.isArray(answer)) return parsed(String(answer[0]));
      if (answer === 1) return this.#load(keys, { token, ttlMs }, load);
      await wait(pauseMs);
    }
  }

  async #load(
    keys: Keys,
    { token, ttlMs }: { readonly token: string; readonly ttlMs: number },
    load: () => Promise<Json>,
  ): Promise<Json> {
    let kept: [text: string, ms: number] | [] = [];
    try {
      const value = await load();
      kept = [JSON.stringify(value), wholeMs(ttlMs)];
      return value;
    } finally {
      await this.#end(keys, token, ...kept).catch(isAway);
    }
  }

  #keysOf(key: string): Keys {
    const name = `${this.#prefix}:cache:{${digest(key)}}`;
    return [name, `${name}:load`];
  }
}

type Keys = readonly [value: string, load: string];

function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Then nothing is kept, and the next one loads again. */
function isAway(): void {}
