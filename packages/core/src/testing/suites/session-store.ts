import assert from 'node:assert/strict';
import { sha256 } from '../../internal/digest.ts';
import type { NewSession, SessionStore } from '../../stores/session-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type SessionStoreSubject = { readonly sessions: SessionStore };

const owner = { tenantId: 'tenant-1', userId: 'user-1' };
const long = 600_000;
/** Long enough that a busy machine comes to look within half of it. */
const blink = 4_000;
const data = { refreshToken: 'secret \u{1F511}', roles: ['admin'], nested: { n: 1, none: null } };
const look = { touch: false };
const touch = { touch: true };

function session(changes: Partial<NewSession> = {}): NewSession {
  return { owner, data, idleMs: long, absoluteMs: long, ...changes };
}

/** Everything that a SessionStore promises. */
export const sessionStoreCases: readonly SuiteCase<SessionStoreSubject>[] = [
  {
    title: 'gives every process the session of an id',
    async run(context) {
      const id = await context.store.sessions.create(session());
      const other = await context.reopen();
      for (const { sessions } of [context.store, other]) {
        const read = await sessions.read(id, look);
        assert.deepEqual([read?.owner, read?.data], [owner, data]);
        const { createdAt = 0, expiresAt = 0 } = read ?? {};
        assert.ok(expiresAt > createdAt && expiresAt <= createdAt + long);
      }
    },
  },
  {
    title: 'keeps sessions of nobody, until somebody signs in to a new one',
    async run({ store: { sessions } }) {
      const id = await sessions.create(session({ owner: null }));
      assert.equal((await sessions.read(id, touch))?.owner, null);
      await sessions.delete(id);
      assert.equal(await sessions.read(id, touch), null);
    },
  },
  {
    title: 'makes ids that nobody can guess, and knows no others',
    async run({ store: { sessions } }) {
      const ids = await atOnce(50, () => sessions.create(session()));
      assert.equal(new Set(ids).size, 50);
      const [id = ''] = ids;
      // 256 bits, as base64url.
      for (const one of ids) assert.match(one, /^[\w-]{43,}$/);
      const last = id.endsWith('A') ? 'B' : 'A';
      const others = [
        `${id.slice(0, -1)}${last}`,
        `${id}A`,
        id.slice(1),
        sha256(id),
        '',
        '*',
        '__proto__',
      ];
      for (const unknown of [...others, 'x'.repeat(100_000), '\u{1F511}', 'a\r\nb', '0', '{']) {
        assert.equal(await sessions.read(unknown, touch), null);
        assert.equal(await sessions.update(unknown, {}), false);
        await sessions.delete(unknown);
      }
      assert.notEqual(await sessions.read(id, look), null);
    },
  },
  {
    title: 'ends a session that is idle, and begins its idle time anew when it is touched',
    async run({ store: { sessions }, passTime }) {
      const id = await sessions.create(session({ idleMs: blink }));
      const looked = await sessions.create(session({ idleMs: blink }));
      for (let times = 0; times < 2; times++) {
        await passTime(blink / 2 + 10);
        assert.notEqual(await sessions.read(id, touch), null);
        await sessions.read(looked, look);
      }
      assert.equal(await sessions.read(looked, touch), null);
      await passTime(blink);
      assert.equal(await sessions.read(id, touch), null);
      assert.equal(await sessions.update(id, {}), false);
    },
  },
  {
    title: 'ends a session after its absolute time, however often it is touched',
    async run({ store: { sessions }, passTime }) {
      const id = await sessions.create(session({ idleMs: blink, absoluteMs: blink }));
      await passTime(blink / 2 + 10);
      const read = await sessions.read(id, touch);
      assert.ok((read?.expiresAt ?? 0) <= (read?.createdAt ?? 0) + blink);
      await passTime(blink / 2);
      assert.equal(await sessions.read(id, touch), null);
    },
  },
  {
    title: 'replaces the data of a session and none of its times',
    async run({ store: { sessions }, passTime }) {
      const id = await sessions.create(session({ idleMs: blink }));
      await passTime(blink / 2 + 10);
      assert.equal(await sessions.update(id, { refreshToken: 'next' }), true);
      assert.deepEqual((await sessions.read(id, look))?.data, { refreshToken: 'next' });
      await passTime(blink / 2 + 10);
      assert.equal(await sessions.read(id, look), null);
    },
  },
  {
    title: 'ends a session for good: an update does not bring it back',
    async run(context) {
      const other = await context.reopen();
      const id = await context.store.sessions.create(session());
      await context.store.sessions.delete(id);
      await context.store.sessions.delete(id);
      assert.equal(await other.sessions.update(id, {}), false);
      assert.equal(await other.sessions.read(id, touch), null);
    },
  },
  {
    title: 'ends all sessions of a user in every process, and nobody else’s',
    async run(context) {
      const { sessions } = context.store;
      const other = await context.reopen();
      const mine = await atOnce(20, (index) =>
        (index % 2 === 0 ? context.store : other).sessions.create(session()),
      );
      const others = [{ ...owner, userId: 'user-2' }, { ...owner, tenantId: 'tenant-2' }, null];
      const kept = await Promise.all(
        others.map((whose) => sessions.create(session({ owner: whose }))),
      );
      await other.sessions.revokeAll(owner);
      for (const id of mine) {
        assert.equal(await sessions.read(id, touch), null);
        assert.equal(await sessions.update(id, {}), false);
      }
      for (const id of kept) assert.notEqual(await sessions.read(id, touch), null);
      const next = await sessions.create(session());
      assert.notEqual(await other.sessions.read(next, touch), null);
      await other.sessions.revokeAll({ ...owner, userId: 'nobody' });
    },
  },
  {
    title: 'keeps what it was given when the giver changes it',
    async run({ store: { sessions } }) {
      const own = { list: [1] };
      const id = await sessions.create(session({ data: own }));
      own.list.push(2);
      assert.deepEqual((await sessions.read(id, look))?.data, { list: [1] });
    },
  },
];

/**
 * Registers the conformance tests of a {@link SessionStore} with vitest. Call and await it at the top of a test file of
 * your implementation.
 *
 * @example
 * ```ts
 * import { inProcessHostStores } from '@steward/core/host';
 * import { fakeClock, testSessionStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testSessionStore('inProcessHostStores().sessions', {
 *   open: async () => inProcessHostStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: async () => {},
 * });
 * ```
 */
export async function testSessionStore<S extends SessionStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a SessionStore`, sessionStoreCases, driver);
}
