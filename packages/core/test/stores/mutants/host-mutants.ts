import type { Cache } from '../../../src/stores/cache.ts';
import type { SessionStore } from '../../../src/stores/session-store.ts';
import type { UserStore } from '../../../src/stores/user-store.ts';
import { cacheCases } from '../../../src/testing/suites/cache.ts';
import { sessionStoreCases } from '../../../src/testing/suites/session-store.ts';
import { userStoreCases } from '../../../src/testing/suites/user-store.ts';
import type { PortMutants } from './describe-mutants.ts';

/** Broken implementations of SessionStore. */
export const sessionMutants: PortMutants<'sessions', SessionStore> = {
  port: 'sessions',
  cases: sessionStoreCases,
  mutants: {
    'ids that can be guessed': [
      'makes ids that nobody can guess, and knows no others',
      (sound) => ({ create: async (session) => (await sound.create(session)).slice(0, 20) }),
    ],
    'ids that may be written in other ways': [
      'makes ids that nobody can guess, and knows no others',
      (sound) => ({
        create: async (session) => `${await sound.create(session)}A`,
        read: (id, how) => sound.read(id.slice(0, -1), how),
      }),
    ],
    'sessions that are touched by every look': [
      'ends a session that is idle, and begins its idle time anew when it is touched',
      (sound) => ({ read: (id) => sound.read(id, { touch: true }) }),
    ],
    'sessions that cannot be touched': [
      'ends a session that is idle, and begins its idle time anew when it is touched',
      (sound) => ({ read: (id) => sound.read(id, { touch: false }) }),
    ],
    'sessions that last for ever': [
      'ends a session after its absolute time, however often it is touched',
      (sound) => ({ create: (session) => sound.create({ ...session, absoluteMs: 3_600_000 }) }),
    ],
    'an update that brings a session back': [
      'ends a session for good: an update does not bring it back',
      (sound) => ({ update: async (id, data) => (await sound.update(id, data)) || true }),
    ],
    'an update that begins the idle time anew': [
      'replaces the data of a session and none of its times',
      (sound) => ({
        update: async (id, data) => {
          await sound.read(id, { touch: true });
          return sound.update(id, data);
        },
      }),
    ],
    'a revocation that revokes nothing': [
      'ends all sessions of a user in every process, and nobody else’s',
      () => ({ revokeAll: async () => {} }),
    ],
    'a revocation of all tenants': [
      'ends all sessions of a user in every process, and nobody else’s',
      (sound) => ({
        create: (session) =>
          sound.create({ ...session, owner: session.owner && { ...session.owner, tenantId: 't' } }),
        revokeAll: (owner) => sound.revokeAll({ ...owner, tenantId: 't' }),
      }),
    ],
    'a session that is not deleted': [
      'keeps sessions of nobody, until somebody signs in to a new one',
      () => ({ delete: async () => {} }),
    ],
  },
};

/** Broken implementations of Cache. */
export const cacheMutants: PortMutants<'cache', Cache> = {
  port: 'cache',
  cases: cacheCases,
  mutants: {
    'a null that is taken for nothing': [
      'gives every process what was set last, whatever JSON it is',
      (sound) => ({ get: async (key) => (await sound.get(key)) ?? undefined }),
    ],
    'values that stay': [
      'forgets a value after its time, and when it is told to',
      (sound) => ({ set: (key, value) => sound.set(key, value, 3_600_000) }),
    ],
    'loads that are kept for ever': [
      'keeps what was loaded for its time, then loads again',
      (sound) => ({ getOrSet: (key, _, load) => sound.getOrSet(key, 3_600_000, load) }),
    ],
    'a load per question': [
      'loads once when 50 ask at once in two processes',
      (sound) => ({
        getOrSet: async (key, ttlMs, load) => {
          const known = await sound.get(key);
          if (known !== undefined) return known;
          const value = await load();
          await sound.set(key, value, ttlMs);
          return value;
        },
      }),
    ],
    'an error that is kept': [
      'tells those who wait that loading failed, and loads again for the next',
      (sound) => {
        let failure: unknown;
        return {
          getOrSet: async (key, ttlMs, load) => {
            if (failure !== undefined) throw failure;
            return sound.getOrSet(key, ttlMs, load).catch((reason: unknown) => {
              failure = reason;
              throw reason;
            });
          },
        };
      },
    ],
    'a load that outlives a delete': [
      'does not keep what was being loaded when the value was deleted, in any process',
      (sound) => ({
        getOrSet: async (key, ttlMs, load) => {
          const value = await sound.getOrSet(key, ttlMs, load);
          await sound.set(key, value, ttlMs);
          return value;
        },
      }),
    ],
    'a load that wins over what was set': [
      'does not replace what was set while it was being loaded',
      (sound) => ({
        getOrSet: async (key, ttlMs, load) => {
          const value = await sound.getOrSet(key, ttlMs, load);
          await sound.set(key, value, ttlMs);
          return value;
        },
      }),
    ],
    'keys that run together': [
      'keeps keys apart, whatever characters they have',
      (sound) => ({ get: (key) => sound.get(key.trim()) }),
    ],
  },
};

/** Broken implementations of UserStore. */
export const userMutants: PortMutants<'users', UserStore> = {
  port: 'users',
  cases: userStoreCases,
  mutants: {
    'a new user with every log-in': [
      'makes a user of an identity that signs in, and finds the user again',
      (sound) => ({
        signIn: (identity, profile) =>
          sound.signIn({ ...identity, subject: identity.subject + Math.random() }, profile),
      }),
    ],
    'users of the same e-mail address': [
      'takes nobody for somebody else: not by e-mail, nor across issuers and tenants',
      (sound) => ({
        signIn: (identity, profile) =>
          sound.signIn({ ...identity, issuer: '', subject: profile.email ?? '' }, profile),
      }),
    ],
    'users of all tenants': [
      'takes nobody for somebody else: not by e-mail, nor across issuers and tenants',
      (sound) => ({ get: ({ userId }) => sound.get({ tenantId: 'tenant-1', userId }) }),
    ],
    'preferences that replace all others': [
      'keeps preferences by name: those that are not named stay, null removes one',
      (sound) => ({
        update: async (owner, changes) => {
          const before = (await sound.get(owner))?.preferences ?? {};
          const none = Object.fromEntries(Object.keys(before).map((name) => [name, null]));
          return sound.update(owner, {
            ...changes,
            preferences: { ...none, ...changes.preferences },
          });
        },
      }),
    ],
    'a preference that is lost': [
      'loses none of 50 preferences that are set at once',
      (sound) => ({
        update: (owner, changes) =>
          changes.preferences?.['p7'] === undefined
            ? sound.update(owner, changes)
            : sound.get(owner),
      }),
    ],
    'tokens that survive a change of access': [
      'raises the epoch when access changes or is revoked, and at nothing else',
      (sound) => ({
        update: async (owner, changes) => {
          const user = await sound.update(owner, changes);
          return user && { ...user, epoch: 1 };
        },
      }),
    ],
    'a disabled user who signs in': [
      'returns a disabled user who signs in as such, unchanged',
      (sound) => ({
        signIn: async (identity, profile) => {
          const user = await sound.signIn(identity, profile);
          return (await sound.update(user, { isDisabled: false })) ?? user;
        },
      }),
    ],
    'users in the order in which they came': [
      'lists the users of a tenant, the newest first, in pages',
      (sound) => ({ list: async (...given) => (await sound.list(...given)).toReversed() }),
    ],
    'a user who is not deleted': [
      'deletes a user, twice without an error; who signs in then is somebody new',
      () => ({ delete: async () => {} }),
    ],
  },
};
