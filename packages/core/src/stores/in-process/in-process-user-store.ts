import type { Clock } from '../../internal/clock.ts';
import { newId } from '../../internal/ids.ts';
import type { JsonObject } from '../../internal/json.ts';
import type { Owner } from '../run-store.ts';
import type {
  UserChanges,
  UserIdentity,
  UserProfile,
  UserRecord,
  UserStore,
} from '../user-store.ts';
import { ownedKey } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

/** A UserStore of this process. Users stay until they are deleted. */
export function inProcessUserStore(clock: Pick<Clock, 'now'>): UserStore {
  const users = new Map<string, UserRecord>();
  /** The key of a user by who it is. */
  const keys = new Map<string, string>();

  function keep(user: UserRecord): UserRecord {
    const kept = frozenCopy(user);
    users.set(ownedKey(user), kept);
    return kept;
  }

  function signIn(identity: UserIdentity, profile: UserProfile): UserRecord {
    const known = users.get(keys.get(identityKey(identity)) ?? '');
    if (known?.isDisabled) return known;
    const signedInAt = clock.now();
    if (known !== undefined) return keep({ ...known, profile, signedInAt });
    const user = keep(newUser(identity, profile, signedInAt));
    keys.set(identityKey(identity), ownedKey(user));
    return user;
  }

  function update(owner: Owner, changes: UserChanges): UserRecord | null {
    const user = users.get(ownedKey(owner));
    return user === undefined ? null : keep(changed(user, changes));
  }

  return {
    signIn: async (identity, profile) => signIn(identity, profile),
    get: async (owner) => users.get(ownedKey(owner)) ?? null,
    list: async (tenantId, { limit, before }) => {
      const all = [...users.values()].reverse().filter((user) => user.tenantId === tenantId);
      const start = all.findIndex(({ userId }) => userId === before) + 1;
      return before !== undefined && start === 0 ? [] : all.slice(start, start + limit);
    },
    update: async (owner, changes) => update(owner, changes),
    delete: async (owner) => {
      const user = users.get(ownedKey(owner));
      if (user === undefined) return;
      users.delete(ownedKey(owner));
      keys.delete(identityKey(user));
    },
  };
}

function identityKey({ tenantId, issuer, subject }: UserIdentity): string {
  return JSON.stringify([tenantId, issuer, subject]);
}

function newUser(identity: UserIdentity, profile: UserProfile, now: number): UserRecord {
  const { tenantId, issuer, subject } = identity;
  return {
    tenantId,
    userId: newId('user'),
    issuer,
    subject,
    profile,
    roles: [],
    isDisabled: false,
    epoch: 1,
    preferences: {},
    createdAt: now,
    signedInAt: now,
  };
}

function changed(user: UserRecord, changes: UserChanges): UserRecord {
  const { roles = user.roles, isDisabled = user.isDisabled, preferences = {} } = changes;
  const isRevoked =
    changes.revokeTokens === true ||
    isDisabled !== user.isDisabled ||
    JSON.stringify(roles) !== JSON.stringify(user.roles);
  return {
    ...user,
    roles,
    isDisabled,
    epoch: user.epoch + (isRevoked ? 1 : 0),
    preferences: merged(user.preferences, preferences),
  };
}

function merged(before: JsonObject, changes: JsonObject): JsonObject {
  const all = new Map([...Object.entries(before), ...Object.entries(changes)]);
  return Object.fromEntries([...all].filter(([, value]) => value !== null && value !== undefined));
}
