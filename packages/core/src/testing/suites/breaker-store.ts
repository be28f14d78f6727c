import assert from 'node:assert/strict';
import type { BreakerStore } from '../../stores/breaker-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type BreakerStoreSubject = { readonly breakers: BreakerStore };

const long = 600_000;
const blink = 150;
const allowed = { allowed: true, isProbe: false } as const;
const probe = { allowed: true, isProbe: true } as const;

/** The wait that a refusal names lies within the one that is due. */
async function isRefused(breakers: BreakerStore, name: string, longest: number): Promise<void> {
  const refused = await breakers.admit(name, long);
  assert.equal(refused.allowed, false);
  assert.ok('retryAfterMs' in refused);
  const { retryAfterMs } = refused;
  assert.ok(retryAfterMs > 0 && retryAfterMs <= longest, `to wait: ${retryAfterMs} ms`);
}

/** Everything that a BreakerStore promises. */
export const breakerStoreCases: readonly SuiteCase<BreakerStoreSubject>[] = [
  {
    title: 'allows calls where nothing was opened, and closes it without an error',
    async run({ store: { breakers } }) {
      assert.deepEqual(await breakers.admit('crm', long), allowed);
      await breakers.close('crm');
      assert.deepEqual(await breakers.admit('crm', long), allowed);
    },
  },
  {
    title: 'refuses calls in every process while it cools, and says how long',
    async run(context) {
      const other = await context.reopen();
      await context.store.breakers.open('crm', long);
      await isRefused(context.store.breakers, 'crm', long);
      await isRefused(other.breakers, 'crm', long);
    },
  },
  {
    title: 'lets one of 50 calls at once probe after the cooling',
    async run(context) {
      const other = await context.reopen();
      await context.store.breakers.open('crm', blink);
      await context.passTime(blink);
      const admissions = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).breakers.admit('crm', long),
      );
      assert.deepEqual(
        admissions.filter((admission) => admission.allowed),
        [probe],
      );
      await isRefused(other.breakers, 'crm', long);
    },
  },
  {
    title: 'lets the next call probe when nobody hears of a probe',
    async run({ store: { breakers }, passTime }) {
      for (const name of ['crm', 'mail']) await breakers.open(name, 1);
      await passTime(5);
      assert.deepEqual(await breakers.admit('mail', long), probe);
      assert.deepEqual(await breakers.admit('crm', blink), probe);
      await passTime(blink);
      await isRefused(breakers, 'mail', long);
      assert.deepEqual(await breakers.admit('crm', long), probe);
    },
  },
  {
    title: 'allows calls in every process after it was closed',
    async run(context) {
      const other = await context.reopen();
      await context.store.breakers.open('crm', 1);
      await context.passTime(5);
      await other.breakers.admit('crm', long);
      await other.breakers.close('crm');
      assert.deepEqual(await context.store.breakers.admit('crm', long), allowed);
      assert.deepEqual(await other.breakers.admit('crm', long), allowed);
    },
  },
  {
    title: 'cools again after a probe that failed, and lets one probe after that',
    async run({ store: { breakers }, passTime }) {
      for (const name of ['crm', 'mail']) await breakers.open(name, 1);
      await passTime(5);
      for (const name of ['crm', 'mail']) await breakers.admit(name, long);
      await breakers.open('mail', long);
      await breakers.open('crm', blink);
      await passTime(blink);
      await isRefused(breakers, 'mail', long);
      assert.deepEqual(await breakers.admit('crm', long), probe);
      await isRefused(breakers, 'crm', long);
    },
  },
  {
    title: 'never shortens a cooling',
    async run({ store: { breakers }, passTime }) {
      await breakers.open('crm', long);
      await breakers.open('crm', 1);
      await passTime(5);
      await isRefused(breakers, 'crm', long);
    },
  },
  {
    title: 'keeps names apart, whatever characters they have',
    async run({ store: { breakers } }) {
      const names = ['a', 'a ', 'a:b', 'a b', '*', '\u{1F511}', '__proto__', ''];
      for (const name of names) {
        assert.deepEqual(await breakers.admit(name, long), allowed, `before ${name}`);
        await breakers.open(name, long);
        await isRefused(breakers, name, long);
      }
    },
  },
];

/**
 * Registers the conformance tests of a {@link BreakerStore} with vitest. Call and await it at the top of a test file of
 * your implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testBreakerStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testBreakerStore('inProcessStores().breakers', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testBreakerStore<S extends BreakerStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a BreakerStore`, breakerStoreCases, driver);
}
