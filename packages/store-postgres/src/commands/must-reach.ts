import { StewardError } from '@steward/core';
import type { Driver } from '../database/driver.ts';
import { examineServer, failureOf } from '../schema/examination.ts';

/** Throws `store_unavailable` that says why a server cannot be used. */
export async function mustReach(driver: Driver): Promise<void> {
  const failure = failureOf(await examineServer(driver));
  if (failure) throw new StewardError('store_unavailable', failure.says, { retryable: false });
}
