import { confirmationCases } from './run-store-confirmations.ts';
import { createCases } from './run-store-create.ts';
import { fencingCases } from './run-store-fencing.ts';
import { finishCases } from './run-store-finish.ts';
import { historyCases } from './run-store-history.ts';
import { ledgerCases } from './run-store-ledger.ts';
import { logCases } from './run-store-log.ts';
import { ownershipCases } from './run-store-ownership.ts';
import { personCases } from './run-store-person.ts';
import type { RunStoreCase, RunStoreSubject } from './run-store-samples.ts';
import { registerSuite, type SuiteDriver } from './suite.ts';

/** Everything that a RunStore promises. */
export const runStoreCases: readonly RunStoreCase[] = [
  ...createCases,
  ...historyCases,
  ...ownershipCases,
  ...fencingCases,
  ...logCases,
  ...ledgerCases,
  ...confirmationCases,
  ...personCases,
  ...finishCases,
];

/**
 * Registers the conformance tests of a `RunStore` with vitest. Call and await it at the top of a test file of your
 * implementation. Messages, usage and audit are looked at as well, since the RunStore writes them.
 * The suite uses well-formed text without NUL: whoever calls a store makes text so before.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testRunStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testRunStore('inProcessStores().runs', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testRunStore<S extends RunStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a RunStore`, runStoreCases, driver);
}
