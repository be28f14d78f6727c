import assert from 'node:assert/strict';
import type { Json } from '../../internal/json.ts';
import type { Cache } from '../../stores/cache.ts';
import { atOnce, eventually, gate } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type CacheSubject = { readonly cache: Cache };

const long = 600_000;
const blink = 100;

/** A load that is under way until it is let go. */
function slowLoad(value: Json) {
  const going = gate();
  const state = { loads: 0 };
  const load = async () => {
    state.loads += 1;
    await going.opened;
    return value;
  };
  const begun = () => eventually('the load begins', () => state.loads > 0);
  return { load, begun, finish: going.open, state };
}

/** Everything that a Cache promises. */
export const cacheCases: readonly SuiteCase<CacheSubject>[] = [
  {
    title: 'gives every process what was set last, whatever JSON it is',
    async run(context) {
      const other = await context.reopen();
      assert.equal(await context.store.cache.get('k'), undefined);
      for (const value of [null, false, 0, '', 'text \u{1F511}', [1, [2]], { a: { b: null } }]) {
        await context.store.cache.set('k', value, long);
        assert.deepEqual(await other.cache.get('k'), value);
        const load = async () => assert.fail('it is there');
        assert.deepEqual(await other.cache.getOrSet('k', long, load), value);
      }
    },
  },
  {
    title: 'forgets a value after its time, and when it is told to',
    async run({ store: { cache }, passTime }) {
      await cache.set('brief', 1, blink);
      await cache.set('long', 2, long);
      await passTime(blink + 50);
      assert.equal(await cache.get('brief'), undefined);
      assert.equal(await cache.get('long'), 2);
      await cache.delete('long');
      await cache.delete('long');
      assert.equal(await cache.get('long'), undefined);
    },
  },
  {
    title: 'keeps what was loaded for its time, then loads again',
    async run({ store: { cache }, passTime }) {
      let loads = 0;
      const load = async () => ++loads;
      assert.equal(await cache.getOrSet('long', long, load), 1);
      assert.equal(await cache.getOrSet('brief', blink, load), 2);
      await passTime(blink + 50);
      assert.equal(await cache.getOrSet('long', long, load), 1);
      assert.equal(await cache.get('long'), 1);
      assert.equal(await cache.getOrSet('brief', blink, load), 3);
    },
  },
  {
    title: 'loads once when 50 ask at once in two processes',
    async run(context) {
      const other = await context.reopen();
      const { load, begun, finish, state } = slowLoad('loaded');
      const asked = atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).cache.getOrSet('k', long, load),
      );
      await begun();
      finish();
      assert.deepEqual(new Set(await asked), new Set(['loaded']));
      assert.equal(state.loads, 1);
    },
  },
  {
    title: 'tells those who wait that loading failed, and loads again for the next',
    async run({ store: { cache } }) {
      let loads = 0;
      const failing = async () => {
        loads += 1;
        throw new RangeError('no such thing');
      };
      const asked = await atOnce(5, () =>
        cache.getOrSet('k', long, failing).catch((reason: unknown) => reason),
      );
      for (const reason of asked) assert.ok(reason instanceof RangeError, String(reason));
      assert.equal(loads, 1);
      const next = cache.getOrSet('k', long, async () => 'better');
      assert.equal(await next.catch((reason: unknown) => String(reason)), 'better');
    },
  },
  {
    title: 'does not keep what was being loaded when the value was deleted, in any process',
    async run(context) {
      const other = await context.reopen();
      const { load, begun, finish } = slowLoad('from before');
      const asked = context.store.cache.getOrSet('k', long, load);
      await begun();
      await other.cache.delete('k');
      finish();
      assert.equal(await asked, 'from before');
      assert.equal(await other.cache.get('k'), undefined);
      assert.equal(await context.store.cache.getOrSet('k', long, async () => 'new'), 'new');
    },
  },
  {
    title: 'does not replace what was set while it was being loaded',
    async run(context) {
      const other = await context.reopen();
      const { load, begun, finish } = slowLoad('from before');
      const asked = context.store.cache.getOrSet('k', long, load);
      await begun();
      await other.cache.set('k', 'new', long);
      finish();
      await asked;
      assert.equal(await context.store.cache.get('k'), 'new');
    },
  },
  {
    title: 'keeps keys apart, whatever characters they have',
    async run({ store: { cache } }) {
      const keys = [
        'a',
        'a ',
        'a:b',
        'a b',
        '*',
        '\u{1F511}',
        '__proto__',
        '',
        'x'.repeat(100_000),
      ];
      for (const key of keys) {
        assert.equal(await cache.get(key), undefined);
        await cache.set(key, key.length, long);
      }
      for (const key of keys) assert.equal(await cache.get(key), key.length);
    },
  },
  {
    title: 'keeps what it was given when the giver changes it',
    async run({ store: { cache } }) {
      const own = { list: [1] };
      await cache.set('k', own, long);
      own.list.push(2);
      assert.deepEqual(await cache.get('k'), { list: [1] });
    },
  },
];

/**
 * Registers the conformance tests of a {@link Cache} with vitest. Call and await it at the top of a test file of your
 * implementation.
 *
 * @example
 * ```ts
 * import { inProcessHostStores } from '@steward/core/host';
 * import { fakeClock, testCache } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testCache('inProcessHostStores().cache', {
 *   open: async () => inProcessHostStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: async () => {},
 * });
 * ```
 */
export async function testCache<S extends CacheSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a Cache`, cacheCases, driver);
}
