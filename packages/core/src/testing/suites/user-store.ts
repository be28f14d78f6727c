import assert from 'node:assert/strict';
import type { UserIdentity, UserProfile, UserStore } from '../../stores/user-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type UserStoreSubject = { readonly users: UserStore };

const jane: UserIdentity = {
  tenantId: 'tenant-1',
  issuer: 'https://id.example',
  subject: '248289761001',
};

const profile: UserProfile = {
  name: 'Jane \u{1F511} Doe',
  email: 'jane@example.com',
  emailVerified: true,
  picture: null,
  locale: 'de-CH',
  zoneinfo: 'Europe/Zurich',
};

/** Everything that a UserStore promises. */
export const userStoreCases: readonly SuiteCase<UserStoreSubject>[] = [
  {
    title: 'makes a user of an identity that signs in, and finds the user again',
    async run({ store: { users }, passTime }) {
      const first = await users.signIn(jane, profile);
      const { userId, createdAt, signedInAt } = first;
      const isNew = { roles: [], isDisabled: false, epoch: 1, preferences: {} };
      assert.deepEqual(first, { ...jane, userId, profile, ...isNew, createdAt, signedInAt });
      assert.deepEqual(await users.get(first), first);
      await passTime(5);
      const renamed = { ...profile, name: 'Jane Roe', emailVerified: false };
      const again = await users.signIn(jane, renamed);
      assert.deepEqual(again, { ...first, profile: renamed, signedInAt: again.signedInAt });
      assert.ok(again.signedInAt > signedInAt);
      assert.deepEqual(await users.get(first), again);
    },
  },
  {
    title: 'makes one user of an identity that signs in 50 times at once',
    async run(context) {
      const other = await context.reopen();
      const all = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).users.signIn(jane, profile),
      );
      assert.equal(new Set(all.map(({ userId }) => userId)).size, 1);
      assert.equal((await other.users.list('tenant-1', { limit: 9 })).length, 1);
    },
  },
  {
    title: 'takes nobody for somebody else: not by e-mail, nor across issuers and tenants',
    async run({ store: { users } }) {
      const identities = [
        jane,
        { ...jane, subject: '2' },
        { ...jane, issuer: 'https://other.example' },
        { ...jane, tenantId: 'tenant-2' },
        { ...jane, issuer: `${jane.issuer}2`, subject: '48289761001' },
        { ...jane, subject: '__proto__' },
      ];
      const all = [];
      for (const identity of identities) all.push(await users.signIn(identity, profile));
      assert.equal(new Set(all.map(({ userId }) => userId)).size, identities.length);
      const [{ userId } = { userId: '' }] = all;
      assert.equal(await users.get({ tenantId: 'tenant-2', userId }), null);
      assert.equal(await users.update({ tenantId: 'tenant-2', userId }, { roles: ['x'] }), null);
      await users.delete({ tenantId: 'tenant-2', userId });
      assert.deepEqual((await users.get({ tenantId: 'tenant-1', userId }))?.roles, []);
    },
  },
  {
    title: 'keeps preferences by name: those that are not named stay, null removes one',
    async run({ store: { users } }) {
      const user = await users.signIn(jane, profile);
      const first = { theme: 'dark', tools: { hidden: ['mail'] }, ['__proto__']: 1 };
      assert.deepEqual((await users.update(user, { preferences: first }))?.preferences, first);
      const changes = { theme: null, tools: { shown: [] }, size: 0 };
      const left = { tools: { shown: [] }, ['__proto__']: 1, size: 0 };
      assert.deepEqual((await users.update(user, { preferences: changes }))?.preferences, left);
      assert.deepEqual((await users.signIn(jane, profile)).preferences, left);
      assert.equal((await users.get(user))?.epoch, 1);
    },
  },
  {
    title: 'loses none of 50 preferences that are set at once',
    async run(context) {
      const other = await context.reopen();
      const user = await context.store.users.signIn(jane, profile);
      await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).users.update(user, {
          preferences: { [`p${index}`]: index },
        }),
      );
      const { preferences = {} } = (await other.users.get(user)) ?? {};
      assert.equal(Object.keys(preferences).length, 50);
    },
  },
  {
    title: 'raises the epoch when access changes or is revoked, and at nothing else',
    async run({ store: { users } }) {
      const user = await users.signIn(jane, profile);
      const epochs = [];
      for (const changes of [
        { roles: ['admin', 'ops'] },
        { roles: ['admin', 'ops'] },
        { isDisabled: true },
        { isDisabled: true, preferences: { a: 1 } },
        { isDisabled: false },
        { revokeTokens: true },
        {},
      ]) {
        epochs.push((await users.update(user, changes))?.epoch);
      }
      assert.deepEqual(epochs, [2, 2, 3, 3, 4, 5, 5]);
      assert.deepEqual((await users.get(user))?.roles, ['admin', 'ops']);
    },
  },
  {
    title: 'returns a disabled user who signs in as such, unchanged',
    async run({ store: { users } }) {
      const user = await users.signIn(jane, profile);
      const disabled = await users.update(user, { isDisabled: true });
      const again = await users.signIn(jane, { ...profile, name: 'Somebody else' });
      assert.equal(again.isDisabled, true);
      assert.deepEqual(again, disabled);
    },
  },
  {
    title: 'lists the users of a tenant, the newest first, in pages',
    async run({ store: { users } }) {
      for (const subject of ['1', '2', '3', '4', '5'])
        await users.signIn({ ...jane, subject }, profile);
      await users.signIn({ ...jane, tenantId: 'tenant-2' }, profile);
      const subjects: string[] = [];
      for (let before: string | undefined; ; ) {
        const page = await users.list('tenant-1', { limit: 2, before });
        subjects.push(...page.map(({ subject }) => subject));
        before = page.at(-1)?.userId;
        if (before === undefined) break;
      }
      assert.deepEqual(subjects, ['5', '4', '3', '2', '1']);
      assert.deepEqual(await users.list('tenant-1', { limit: 2, before: 'nobody' }), []);
    },
  },
  {
    title: 'deletes a user, twice without an error; who signs in then is somebody new',
    async run({ store: { users } }) {
      const user = await users.signIn(jane, profile);
      await users.update(user, { preferences: { theme: 'dark' } });
      await users.delete(user);
      await users.delete(user);
      assert.equal(await users.get(user), null);
      assert.equal(await users.update(user, { roles: [] }), null);
      const next = await users.signIn(jane, profile);
      assert.notEqual(next.userId, user.userId);
      assert.deepEqual(next.preferences, {});
    },
  },
  {
    title: 'keeps users over a restart',
    async run(context) {
      const user = await context.store.users.signIn(jane, profile);
      const { users } = await context.reopen();
      assert.deepEqual(await users.get(user), user);
    },
  },
];

/**
 * Registers the conformance tests of a {@link UserStore} with vitest. Call and await it at the top of a test file of your
 * implementation.
 *
 * @example
 * ```ts
 * import { inProcessHostStores } from '@steward/core/host';
 * import { fakeClock, testUserStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testUserStore('inProcessHostStores().users', {
 *   open: async () => inProcessHostStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: async () => {},
 * });
 * ```
 */
export async function testUserStore<S extends UserStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a UserStore`, userStoreCases, driver);
}
