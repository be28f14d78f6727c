import type { JsonObject } from '../internal/json.ts';
import type { Owner } from './run-store.ts';

/** A session to be opened. */
export interface NewSession {
  /** Who signed in; `null` before that, as on the way to a provider and back. */
  readonly owner: Owner | null;
  /** Whatever belongs to it, secrets included: other than with its id nobody can read it where the store is not this process. */
  readonly data: JsonObject;
  /** Milliseconds without activity after which it ends. */
  readonly idleMs: number;
  /** Milliseconds after which it ends in any case. */
  readonly absoluteMs: number;
}

/** A session that has not ended. */
export interface SessionRecord {
  readonly owner: Owner | null;
  readonly data: JsonObject;
  /** Unix milliseconds by the store's clock. */
  readonly createdAt: number;
  /** When it ends if nothing happens; Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Log-ins of a web application. The id of a session is a secret of its browser, made by the store with 256 random bits;
 * the store itself keeps a digest of it. Someone who signs in gets a new session, and the one before is deleted.
 */
export interface SessionStore {
  /** Opens a session and returns its id. */
  create(session: NewSession): Promise<string>;
  /** The session, or `null`. With `touch` the idle time begins anew; without, somebody only looks, as an open socket does. */
  read(id: string, how: { readonly touch: boolean }): Promise<SessionRecord | null>;
  /** Replaces its data, not its times. `false` when it has ended: nothing brings it back. */
  update(id: string, data: JsonObject): Promise<boolean>;
  /** Ends it; twice is no error. */
  delete(id: string): Promise<void>;
  /** Ends all sessions of a user, wherever they are. */
  revokeAll(owner: Owner): Promise<void>;
}
