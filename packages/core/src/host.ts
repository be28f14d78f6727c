// The door of @steward/core/host: what a web application around an assistant keeps. Named exports only.

export type { Cache } from './stores/cache.ts';
export type { HostStores } from './stores/host-stores.ts';
export { inProcessHostStores } from './stores/in-process/in-process-host-stores.ts';
export type { NewSession, SessionRecord, SessionStore } from './stores/session-store.ts';
export type {
  UserChanges,
  UserIdentity,
  UserProfile,
  UserRecord,
  UserStore,
} from './stores/user-store.ts';
