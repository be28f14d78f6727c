import { type Clock, systemClock } from '../../internal/clock.ts';
import type { HostStores } from '../host-stores.ts';
import { inProcessCache } from './in-process-cache.ts';
import { InProcessSessionStore } from './in-process-session-store.ts';
import { inProcessUserStore } from './in-process-user-store.ts';

/**
 * Users, sessions and a cache in the memory of this process: nothing to install, gone with the process. For one
 * process: several keep users in `store-postgres`, sessions and the cache in `store-redis`.
 *
 * @example
 * ```ts
 * import { inProcessHostStores } from '@steward/core/host';
 *
 * const { users, sessions } = inProcessHostStores();
 * const identity = { tenantId: 'default', issuer: 'https://id.example', subject: '248289761001' };
 * const user = await users.signIn(identity, {
 *   name: 'Jane Doe', email: 'jane@example.com', emailVerified: true, picture: null, locale: 'en', zoneinfo: null,
 * });
 * const hour = 3_600_000;
 * const id = await sessions.create({ owner: user, data: {}, idleMs: hour, absoluteMs: 12 * hour });
 * console.log((await sessions.read(id, { touch: true }))?.owner?.userId === user.userId);
 * ```
 */
export function inProcessHostStores(
  options: { readonly clock?: Pick<Clock, 'now'> | undefined } = {},
): HostStores {
  const { clock = systemClock } = options;
  return {
    users: inProcessUserStore(clock),
    sessions: new InProcessSessionStore(clock),
    cache: inProcessCache(clock),
  };
}
