import { createHash } from 'node:crypto';
import { StewardError } from '@steward/core';
import type { RedisClient } from './connection/redis-client.ts';

/** Calls a script; throws `store_unavailable` when Redis cannot be asked. */
export type Script = (keys: readonly string[], ...args: (string | number)[]) => Promise<unknown>;

/** A script of ours under a name of its own. It is sent by its digest, and whole where a server does not know it yet. */
export function defineScript(
  client: RedisClient,
  name: string,
  lua: string,
  numberOfKeys = 1,
): Script {
  client.defineCommand(name, { lua, numberOfKeys });
  const call: unknown = Reflect.get(client, name);
  if (typeof call !== 'function') throw new TypeError(`no command ${name}`);
  return (keys, ...args) => orUnavailable(Reflect.apply(call, client, [...keys, ...args]));
}

/** The answer of a command, or `store_unavailable`. */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (reason) {
    const said = reason instanceof Error ? reason.message : String(reason);
    throw new StewardError('store_unavailable', `Redis does not answer: ${said}`, {
      cause: reason,
    });
  }
}

/** Keys hold names of users and more: Redis need not know them, and they may be of any length. */
export function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

/** In scripts: Unix milliseconds by the server's clock. */
export const nowInScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Milliseconds as Redis takes them: whole, at least one, and never so many that the end is no number. */
export function wholeMs(ms: number): number {
  return Math.round(Math.min(Math.max(ms, 1), 2 ** 48));
}
