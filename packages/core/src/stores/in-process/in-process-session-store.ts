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
export class InProcessSessionStore implements SessionStore {
  readonly #clock: Pick<Clock, 'now'>;
  /** By the digest of the id. */
  readonly #sessions = new AgingMap<string, Session>();
  /** The keys of a user's sessions. */
  readonly #byOwner = new Map<string, Set<string>>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  async create({ owner, data, idleMs, absoluteMs }: NewSession): Promise<string> {
    const id = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    this.#keep(sha256(id), {
      owner: owner && frozenCopy({ tenantId: owner.tenantId, userId: owner.userId }),
      data: frozenCopy(data),
      createdAt: now,
      endsAt: now + absoluteMs,
      idleMs,
      idleUntil: now + idleMs,
    });
    return id;
  }

  async read(id: string, { touch }: { readonly touch: boolean }): Promise<SessionRecord | null> {
    const session = this.#find(id);
    if (session === undefined) return null;
    if (touch) session.idleUntil = this.#clock.now() + session.idleMs;
    const { owner, data, createdAt } = session;
    return { owner, data, createdAt, expiresAt: expiryOf(session) };
  }

  async update(id: string, data: JsonObject): Promise<boolean> {
    const session = this.#find(id);
    if (session !== undefined) session.data = frozenCopy(data);
    return session !== undefined;
  }

  async delete(id: string): Promise<void> {
    const session = this.#find(id);
    if (session !== undefined) this.#forget(sha256(id), session);
  }

  async revokeAll(owner: Owner): Promise<void> {
    for (const key of this.#byOwner.get(ownedKey(owner)) ?? []) this.#sessions.delete(key);
    this.#byOwner.delete(ownedKey(owner));
  }

  #keep(key: string, session: Session): void {
    this.#sessions.set(key, session);
    if (session.owner !== null) {
      const owner = ownedKey(session.owner);
      const keys = this.#byOwner.get(owner) ?? new Set();
      this.#byOwner.set(owner, keys.add(key));
    }
    const oldest = this.#sessions.size > maxSessions ? this.#sessions.shift() : undefined;
    if (oldest !== undefined) this.#forget(...oldest);
  }

  #find(id: string): Session | undefined {
    const key = sha256(id);
    const session = this.#sessions.get(key);
    if (session === undefined || expiryOf(session) > this.#clock.now()) return session;
    this.#forget(key, session);
    return undefined;
  }

  #forget(key: string, { owner }: Session): void {
    this.#sessions.delete(key);
    if (owner === null) return;
    const keys = this.#byOwner.get(ownedKey(owner));
    keys?.delete(key);
    if (keys?.size === 0) this.#byOwner.delete(ownedKey(owner));
  }
}

function expiryOf({ endsAt, idleUntil }: Session): number {
  return Math.min(endsAt, idleUntil);
}
