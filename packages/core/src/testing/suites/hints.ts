import assert from 'node:assert/strict';
import type { Hint, Hints } from '../../stores/hints.ts';
import { eventually } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type HintsSubject = { readonly hints: Hints };

/** Listens, and notes every hint once, since one may come twice. */
function collect(hints: Hints) {
  const heard = new Map<string, Hint>();
  const leave = hints.listen((hint) => void heard.set(JSON.stringify(hint), hint));
  return { heard, leave };
}

/** Tells until it is heard: a listener may take a moment to be connected, and a hint may be lost. */
async function tellUntil(hints: Hints, hint: Hint, heard: ReadonlyMap<string, Hint>) {
  await eventually(`${JSON.stringify(hint)} is heard`, () => {
    hints.tell(hint);
    return heard.has(JSON.stringify(hint));
  });
}

/** Everything that Hints promise. */
export const hintsCases: readonly SuiteCase<HintsSubject>[] = [
  {
    title: 'tells listeners of this process and of others',
    async run(context) {
      const other = await context.reopen();
      const here = collect(context.store.hints);
      const there = collect(other.hints);
      await tellUntil(context.store.hints, { runId: 'run_1' }, here.heard);
      await tellUntil(context.store.hints, { runId: 'run_2' }, there.heard);
      await tellUntil(other.hints, { runId: 'run_3' }, here.heard);
    },
  },
  {
    title: 'tells of runs and of conversations, whatever characters their names have',
    async run({ store: { hints } }) {
      const { heard } = collect(hints);
      const told: Hint[] = ['a', 'a b', 'a:b', '*', '"\n', '\u{1F511}', '__proto__'].flatMap(
        (name) => [
          { runId: name },
          { claimedRunId: name },
          { tenantId: name, userId: name, conversationId: name },
        ],
      );
      for (const hint of told) await tellUntil(hints, hint, heard);
      assert.deepEqual([...heard.values()], told);
    },
  },
  {
    title: 'tells a listener that left nothing more, and all others everything',
    async run({ store: { hints } }) {
      const [left, stayed] = [collect(hints), collect(hints)];
      await tellUntil(hints, { runId: 'run_1' }, left.heard);
      left.leave();
      left.leave();
      await tellUntil(hints, { runId: 'run_2' }, stayed.heard);
      assert.equal(left.heard.size, 1);
    },
  },
];

/**
 * Registers the conformance tests of {@link Hints} with vitest. Call and await it at the top of a test file of your
 * implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testHints } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testHints('inProcessStores().hints', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testHints<S extends HintsSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} tells hints`, hintsCases, driver);
}
