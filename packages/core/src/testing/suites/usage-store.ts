import assert from 'node:assert/strict';
import type { Owner } from '../../stores/run-store.ts';
import type { UsageStore } from '../../stores/usage-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type UsageStoreSubject = { readonly usage: UsageStore };

const owner: Owner = { tenantId: 'tenant-1', userId: 'user-1' };
/** A window that does not end while a case runs, whatever the clock says. */
const century = 100 * 365 * 86_400_000;
/** One that does. */
const blink = 200;
const limits = [{ windowMs: century, tokens: 100 }];

/** Everything that a UsageStore promises on its own; what turns write to it is in the cases of the RunStore. */
export const usageStoreCases: readonly SuiteCase<UsageStoreSubject>[] = [
  {
    title: 'reserves what the limit allows and refuses what it does not, with the time to wait',
    async run({ store: { usage } }) {
      assert.deepEqual(await usage.reserve(owner, 'r-1', 60, limits), { granted: true });
      const refused = await usage.reserve(owner, 'r-2', 41, limits);
      assert.equal(refused.granted, false);
      assert.ok('retryAfterMs' in refused);
      assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= century);
      assert.deepEqual(await usage.reserve(owner, 'r-3', 40, limits), { granted: true });
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 100 });
    },
  },
  {
    title: 'replaces a reservation by what was used, once',
    async run({ store: { usage } }) {
      await usage.reserve(owner, 'r-1', 60, limits);
      await usage.settle(owner, 'r-1', 25);
      await usage.settle(owner, 'r-1', 99);
      assert.deepEqual(await usage.read(owner, century), { used: 25, reserved: 0 });
      assert.deepEqual(await usage.reserve(owner, 'r-2', 75, limits), { granted: true });
    },
  },
  {
    title: 'counts what was used beyond the reservation',
    async run({ store: { usage } }) {
      await usage.reserve(owner, 'r-1', 10, limits);
      await usage.settle(owner, 'r-1', 150);
      assert.deepEqual(await usage.read(owner, century), { used: 150, reserved: 0 });
      assert.equal((await usage.reserve(owner, 'r-2', 1, limits)).granted, false);
    },
  },
  {
    title: 'reserves once under an id, also after it was settled',
    async run({ store: { usage } }) {
      await usage.reserve(owner, 'r-1', 60, limits);
      assert.equal((await usage.reserve(owner, 'r-1', 60, limits)).granted, true);
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 60 });
      await usage.settle(owner, 'r-1', 5);
      await usage.reserve(owner, 'r-1', 60, limits);
      assert.deepEqual(await usage.read(owner, century), { used: 5, reserved: 0 });
    },
  },
  {
    title: 'changes nothing when an unknown or a refused reservation is settled',
    async run({ store: { usage } }) {
      await usage.reserve(owner, 'r-1', 101, limits);
      await usage.settle(owner, 'r-1', 101);
      await usage.settle(owner, 'r-2', 7);
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 0 });
    },
  },
  {
    title: 'grants exactly what the limit holds when 50 reserve at once',
    async run(context) {
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).usage.reserve(owner, `r-${index}`, 10, limits),
      );
      assert.equal(outcomes.filter(({ granted }) => granted).length, 10);
      assert.deepEqual(await context.store.usage.read(owner, century), {
        used: 0,
        reserved: 100,
      });
    },
  },
  {
    title: 'needs the consent of every limit and reserves nothing otherwise',
    async run({ store: { usage } }) {
      const both = [
        { windowMs: century, tokens: 100 },
        { windowMs: 2 * century, tokens: 50 },
      ];
      assert.equal((await usage.reserve(owner, 'r-1', 60, both)).granted, false);
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 0 });
      assert.equal((await usage.reserve(owner, 'r-2', 50, both)).granted, true);
      assert.deepEqual(await usage.read(owner, 2 * century), { used: 0, reserved: 50 });
    },
  },
  {
    title: 'begins anew with each window of the clock of the store',
    async run({ store: { usage }, passTime }) {
      const short = [{ windowMs: blink, tokens: 100 }];
      await usage.reserve(owner, 'r-1', 100, short);
      await passTime(blink);
      assert.deepEqual(await usage.read(owner, blink), { used: 0, reserved: 0 });
      assert.equal((await usage.reserve(owner, 'r-2', 100, short)).granted, true);
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 200 });
    },
  },
  {
    title: 'keeps the accounts of users and tenants apart',
    async run({ store: { usage } }) {
      await usage.reserve(owner, 'r-1', 100, limits);
      for (const stranger of [
        { tenantId: 'tenant-1', userId: 'user-2' },
        { tenantId: 'tenant-2', userId: 'user-1' },
      ]) {
        await usage.settle(stranger, 'r-1', 1);
        assert.equal((await usage.reserve(stranger, 'r-1', 100, limits)).granted, true);
      }
      assert.deepEqual(await usage.read(owner, century), { used: 0, reserved: 100 });
    },
  },
  {
    title: 'keeps accounts over a restart',
    async run(context) {
      await context.store.usage.reserve(owner, 'r-1', 60, limits);
      const { usage } = await context.reopen();
      assert.equal((await usage.reserve(owner, 'r-2', 60, limits)).granted, false);
    },
  },
];

/**
 * Registers the conformance tests of a {@link UsageStore} with vitest. Call and await it at the top of a test file of your
 * implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testUsageStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testUsageStore('inProcessStores().usage', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testUsageStore<S extends UsageStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a UsageStore`, usageStoreCases, driver);
}
