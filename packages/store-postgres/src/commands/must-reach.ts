import { StewardError } from '@steward/core';
import type { Driver } from '../database/driver.ts';
import { checkSchema, examineServer, type Finding, failureOf } from '../schema/examination.ts';

/** Throws `store_unavailable` that says why a server cannot be used. */
export async function mustReach(driver: Driver): Promise<void> {
  orThrow(await examineServer(driver));
}

/** As {@link mustReach}, and says why the tables there cannot be used. */
export async function mustHaveTables(driver: Driver, schema: string): Promise<void> {
  await mustReach(driver);
  orThrow([await checkSchema(driver, schema)]);
}

function orThrow(findings: readonly Finding[]): void {
  const failure = failureOf(findings);
  if (failure) throw new StewardError('store_unavailable', failure.says, { retryable: false });
}
