import { randomBytes } from 'node:crypto';
import type { Clock } from '../../internal/clock.ts';
import { sha256 } from '../../internal/digest.ts';
import type { JsonObject } from '../../internal/json.ts';
import type { Owner } from '../run-store.ts';
import type { NewSession, SessionRecord, SessionStore } from '../session-store.ts';
import { AgingMap } from './aging-map.ts';
import { ownedKey } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

interface Session {
  readonly owner: Owner | null;
  data: JsonObject;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly idleMs: number;
  idleUntil: number;
}

/** Sessions at the same time; beyond it the oldest is ended. */
const maxSessions = 100_000;

/** A SessionStore of this process. */
export function inProcessSessionStore(clock: Pick<Clock, 'now'>): SessionStore {
  /** By the digest of the id. */
  const sessions = new AgingMap<string, Session>();
  const byOwner = new Map<string, Set<string>>();

  function create({ owner, data, idleMs, absoluteMs }: NewSession): string {
    const id = randomBytes(32).toString('base64url');
    const key = sha256(id);
    const now = clock.now();
    sessions.set(key, {
      owner: owner && frozenCopy({ tenantId: owner.tenantId, userId: owner.userId }),
      data: frozenCopy(data),
      createdAt: now,
      endsAt: now + absoluteMs,
      idleMs,
      idleUntil: now + idleMs,
    });
    if (owner !== null) keysOf(owner).add(key);
    if (sessions.size > maxSessions) forgetOldest();
    return id;
  }

  function keysOf(owner: Owner): Set<string> {
    const name = ownedKey(owner);
    const keys = byOwner.get(name) ?? new Set();
    byOwner.set(name, keys);
    return keys;
  }

  function find(id: string): Session | undefined {
    const key = sha256(id);
    const session = sessions.get(key);
    if (session === undefined) return undefined;
    if (expiryOf(session) > clock.now()) return session;
    forget(key, session);
    return undefined;
  }

  function forget(key: string, { owner }: Session): void {
    sessions.delete(key);
    if (owner === null) return;
    const keys = keysOf(owner);
    keys.delete(key);
    if (keys.size === 0) byOwner.delete(ownedKey(owner));
  }

  function forgetOldest(): void {
    const oldest = sessions.shift();
    if (oldest !== undefined) forget(...oldest);
  }

  return {
    create: async (session) => create(session),
    read: async (id, { touch }) => {
      const session = find(id);
      if (session === undefined) return null;
      if (touch) session.idleUntil = clock.now() + session.idleMs;
      return recordOf(session);
    },
    update: async (id, data) => {
      const session = find(id);
      if (session !== undefined) session.data = frozenCopy(data);
      return session !== undefined;
    },
    delete: async (id) => {
      const session = find(id);
      if (session !== undefined) forget(sha256(id), session);
    },
    revokeAll: async (owner) => {
      for (const key of keysOf(owner)) sessions.delete(key);
      byOwner.delete(ownedKey(owner));
    },
  };
}

function expiryOf({ endsAt, idleUntil }: Session): number {
  return Math.min(endsAt, idleUntil);
}

function recordOf(session: Session): SessionRecord {
  const { owner, data, createdAt } = session;
  return { owner, data, createdAt, expiresAt: expiryOf(session) };
}
