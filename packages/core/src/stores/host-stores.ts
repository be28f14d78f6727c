import type { Cache } from './cache.ts';
import type { SessionStore } from './session-store.ts';
import type { UserStore } from './user-store.ts';

/** What a web application around an assistant keeps, one member per port. An assistant itself needs none of it. */
export interface HostStores {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly cache: Cache;
}
