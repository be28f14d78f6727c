import { AssertionError } from 'node:assert';
import { expect, it } from 'vitest';
import { runCase, type SuiteCase, type SuiteDriver } from '../../../src/testing/suites/suite.ts';

/** A broken implementation, and the case that has to notice. */
export interface Mutant<S> {
  readonly driver: SuiteDriver<S>;
  readonly caughtBy: string;
  /** The case waits for what the mutant never does; vitest would stop it. */
  readonly hangs?: boolean;
}

/** Registers a test that the named case fails on the mutant. */
export function catches<S>(
  cases: readonly SuiteCase<S>[],
  what: string,
  { driver, caughtBy, hangs = false }: Mutant<S>,
): void {
  it(`catches ${what} with "${caughtBy}"`, async () => {
    const killer = cases.find(({ title }) => title === caughtBy);
    if (killer === undefined) throw new TypeError(`No case is titled "${caughtBy}".`);
    const verdict = runCase(driver, killer).then(
      () => 'not noticed',
      // Only an assertion is a catch: a case that breaks on a mutant has not understood it.
      (reason: unknown) => (reason instanceof AssertionError ? 'noticed' : String(reason)),
    );
    const seen = await (hangs ? Promise.race([verdict, soon('waits')]) : verdict);
    expect(seen).toBe(hangs ? 'waits' : 'noticed');
  });
}

/** Long after an in-process case that does not hang has ended. */
function soon(value: string): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 200));
}
