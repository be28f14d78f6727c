import { LRUCache } from 'lru-cache';
import type { Clock } from '../../internal/clock.ts';
import type { Json } from '../../internal/json.ts';
import type { Cache } from '../cache.ts';
import { frozenCopy } from './frozen-copy.ts';

/** Values at the same time; beyond it the one that was used longest ago is forgotten. */
const maxValues = 10_000;

/** A Cache of this process. */
export function inProcessCache(clock: Pick<Clock, 'now'>): Cache {
  const values = new LRUCache<string, { readonly value: Json }>({
    max: maxValues,
    perf: clock,
    ttlResolution: 0,
  });
  const loads = new Map<string, Promise<Json>>();

  function set(key: string, value: Json, ttlMs: number): void {
    loads.delete(key);
    values.set(key, { value: frozenCopy(value) }, { ttl: ttlMs });
  }

  /** What was set or deleted in the meantime is newer than what comes of the load. */
  async function loaded(key: string, ttlMs: number, load: () => Promise<Json>): Promise<Json> {
    const loading = Promise.resolve().then(load);
    loads.set(key, loading);
    const isCurrent = () => loads.get(key) === loading;
    try {
      const value = await loading;
      if (isCurrent()) set(key, value, ttlMs);
      return value;
    } finally {
      if (isCurrent()) loads.delete(key);
    }
  }

  return {
    get: async (key) => values.get(key)?.value,
    set: async (key, value, ttlMs) => set(key, value, ttlMs),
    delete: async (key) => {
      loads.delete(key);
      values.delete(key);
    },
    getOrSet: async (key, ttlMs, load) => {
      const known = values.get(key);
      if (known !== undefined) return known.value;
      return loads.get(key) ?? loaded(key, ttlMs, load);
    },
  };
}
