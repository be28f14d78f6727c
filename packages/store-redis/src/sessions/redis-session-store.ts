import { randomBytes } from 'node:crypto';
import type { JsonObject, Owner } from '@steward/core';
import type { NewSession, SessionRecord, SessionStore } from '@steward/core/host';
import type { RedisClient } from '../connection/redis-client.ts';
import {
  defineScript,
  digest,
  nowInScript,
  orUnavailable,
  type Script,
  wholeMs,
} from '../script.ts';
import { seal, unseal } from './sealed.ts';

/**
 * KEYS: the session, the sessions of its owner. ARGV: who it is and what it holds, both sealed; idle and absolute time;
 * its name among the sessions of the owner, or nothing. What ended is struck off that list when something is added.
 */
const createScript = `
${nowInScript}
local ends = now + ARGV[4]
redis.call('HSET', KEYS[1], 'who', ARGV[1], 'data', ARGV[2], 'idle', ARGV[3], 'created', now, 'ends', ends)
redis.call('PEXPIRE', KEYS[1], math.min(ARGV[3], ARGV[4]))
if ARGV[5] == '' then return end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], ends, ARGV[5])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end
`;

const readScript = `
local session = redis.call('HMGET', KEYS[1], 'who', 'data', 'created', 'idle', 'ends')
if not session[1] then return end
${nowInScript}
local left = redis.call('PTTL', KEYS[1])
if ARGV[1] == '1' then
  left = math.min(session[4], session[5] - now)
  redis.call('PEXPIRE', KEYS[1], left)
end
return {session[1], session[2], session[3], now + left}
`;

const updateScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[1])
return 1
`;

/** What a Cluster places sessions by: those of a user are together, as far as sixteen places go. */
const tags = '0123456789abcdef';
const idForm = /^[0-9a-f][\w-]{43}$/;

/**
 * A SessionStore on Redis. The id begins with its place and goes on with 256 random bits; Redis knows its digest, and
 * what a session holds is encrypted with a key that only the id gives.
 */
export class RedisSessionStore implements SessionStore {
  readonly #prefix: string;
  readonly #client: RedisClient;
  readonly #create: Script;
  readonly #read: Script;
  readonly #update: Script;

  constructor(prefix: string, client: RedisClient) {
    this.#prefix = prefix;
    this.#client = client;
    this.#create = defineScript(client, 'stewardSessionCreate', createScript, 2);
    this.#read = defineScript(client, 'stewardSessionRead', readScript);
    this.#update = defineScript(client, 'stewardSessionUpdate', updateScript);
  }

  async create({ owner, data, idleMs, absoluteMs }: NewSession): Promise<string> {
    const list = this.#listOf(owner ?? { tenantId: '', userId: randomBytes(8).toString('hex') });
    const id = list.tag + randomBytes(32).toString('base64url');
    const key = this.#keyOf(id);
    const who = owner && { tenantId: owner.tenantId, userId: owner.userId };
    await this.#create(
      [key, list.key],
      seal(id, `${key} who`, JSON.stringify(who)),
      seal(id, `${key} data`, JSON.stringify(data)),
      wholeMs(idleMs),
      wholeMs(absoluteMs),
      owner === null ? '' : key,
    );
    return id;
  }

  async read(id: string, { touch }: { readonly touch: boolean }): Promise<SessionRecord | null> {
    if (!idForm.test(id)) return null;
    const key = this.#keyOf(id);
    const answer = await this.#read([key], touch ? 1 : 0);
    if (!Array.isArray(answer)) return null;
    const [who, data, createdAt, expiresAt] = answer.map(String);
    return {
      owner: JSON.parse(unseal(id, `${key} who`, who ?? '')) as Owner | null,
      data: JSON.parse(unseal(id, `${key} data`, data ?? '')) as JsonObject,
      createdAt: Number(createdAt),
      expiresAt: Number(expiresAt),
    };
  }

  async update(id: string, data: JsonObject): Promise<boolean> {
    if (!idForm.test(id)) return false;
    const key = this.#keyOf(id);
    return (await this.#update([key], seal(id, `${key} data`, JSON.stringify(data)))) === 1;
  }

  async delete(id: string): Promise<void> {
    if (idForm.test(id)) await orUnavailable(this.#client.call('DEL', this.#keyOf(id)));
  }

  async revokeAll(owner: Owner): Promise<void> {
    const { key } = this.#listOf(owner);
    const sessions = await orUnavailable(this.#client.call('ZRANGE', key, 0, -1));
    if (!Array.isArray(sessions) || sessions.length === 0) return;
    await orUnavailable(this.#client.call('DEL', ...sessions.map(String)));
    await orUnavailable(this.#client.call('ZREM', key, ...sessions.map(String)));
  }

  /** Where the sessions of a user are listed. */
  #listOf({ tenantId, userId }: Owner) {
    const name = digest(JSON.stringify([tenantId, userId]));
    const tag = tags.charAt((Buffer.from(name, 'base64url')[0] ?? 0) % tags.length);
    return { tag, key: `${this.#prefix}:{${tag}}:sessions:${name}` };
  }

  #keyOf(id: string): string {
    return `${this.#prefix}:{${id.slice(0, 1)}}:session:${digest(id)}`;
  }
}
