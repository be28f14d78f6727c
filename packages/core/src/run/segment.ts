import { LeaseKeeper } from './lease-keeper.ts';
import { OwnedRun, type StartedRun } from './owned-run.ts';
import { runLoop } from './run-loop.ts';
import type { RunSettings } from './run-settings.ts';

export { LeaseKeeper };

/**
 * What one owner does of a run, from its claim to its end or to its next owner. The run is held, and its log is open,
 * as soon as this returns.
 */
export async function runSegment(
  claim: StartedRun,
  settings: RunSettings,
  leases: LeaseKeeper,
): Promise<void> {
  const run = new OwnedRun(claim, settings);
  leases.add(run);
  try {
    await runLoop(run);
  } finally {
    run.deadline.end();
    leases.remove(run);
    await run.log.close();
  }
}
