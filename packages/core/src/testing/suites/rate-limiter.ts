import assert from 'node:assert/strict';
import type { RateLimiter } from '../../stores/rate-limiter.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type RateLimiterSubject = { readonly rateLimiter: RateLimiter };

const limit = { points: 3, windowMs: 600_000 };
const blink = { points: 1, windowMs: 150 };

/** Everything that a RateLimiter promises. */
export const rateLimiterCases: readonly SuiteCase<RateLimiterSubject>[] = [
  {
    title: 'allows as many as the limit says, then says how long to wait',
    async run({ store: { rateLimiter } }) {
      for (const remaining of [2, 1, 0]) {
        assert.deepEqual(await rateLimiter.take('k', limit), { allowed: true, remaining });
      }
      const refused = await rateLimiter.take('k', limit);
      assert.equal(refused.allowed, false);
      assert.ok('retryAfterMs' in refused);
      assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= limit.windowMs);
    },
  },
  {
    title: 'takes several points at once, or none',
    async run({ store: { rateLimiter } }) {
      assert.equal((await rateLimiter.take('k', limit, 4)).allowed, false);
      assert.deepEqual(await rateLimiter.take('k', limit, 2), { allowed: true, remaining: 1 });
      assert.equal((await rateLimiter.take('k', limit, 2)).allowed, false);
      assert.deepEqual(await rateLimiter.take('k', limit, 1), { allowed: true, remaining: 0 });
    },
  },
  {
    title: 'allows again after the window',
    async run({ store: { rateLimiter }, passTime }) {
      assert.equal((await rateLimiter.take('k', blink)).allowed, true);
      await passTime(blink.windowMs);
      assert.equal((await rateLimiter.take('k', blink)).allowed, true);
    },
  },
  {
    title: 'counts keys apart, whatever characters they have',
    async run({ store: { rateLimiter } }) {
      const one = { points: 1, windowMs: 600_000 };
      for (const key of ['a', 'a ', 'a:b', 'a b', '*', '\u{1F511}', '__proto__', '']) {
        assert.equal((await rateLimiter.take(key, one)).allowed, true, `first of ${key}`);
        assert.equal((await rateLimiter.take(key, one)).allowed, false, `second of ${key}`);
      }
    },
  },
  {
    title: 'allows exactly the limit when 50 take at once',
    async run(context) {
      const other = await context.reopen();
      const ten = { points: 10, windowMs: 600_000 };
      const takes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).rateLimiter.take('k', ten),
      );
      assert.equal(takes.filter(({ allowed }) => allowed).length, 10);
    },
  },
];

/**
 * Registers the conformance tests of a {@link RateLimiter} with vitest. Call and await it at the top of a test file of
 * your implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testRateLimiter } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testRateLimiter('inProcessStores().rateLimiter', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testRateLimiter<S extends RateLimiterSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a RateLimiter`, rateLimiterCases, driver);
}
