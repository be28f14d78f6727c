import type { Database } from './database/database.ts';
import { wholeMs } from './stores/sql-values.ts';

/** After how long what has ended may go, in milliseconds. What is not named stays. */
export interface Retention {
  /** Turns, calls and durable events of runs that ended so long ago; status, text and usage stay. */
  readonly detailsMs?: number;
  /** Runs that ended so long ago, with all they have; their messages stay in the conversation. */
  readonly runsMs?: number;
  /** Artifacts that were put so long ago. */
  readonly artifactsMs?: number;
  /** Token accounts that were begun so long ago: no less than the longest window of a quota. */
  readonly usageMs?: number;
}

/** How much went. */
export interface Retained {
  readonly details: number;
  readonly runs: number;
  readonly artifacts: number;
  readonly usage: number;
}

/** Few enough that nobody waits for a lock that the removal holds. */
const batch = 500;

/** Removes what is older than the policy says, in small batches. */
export async function retain(db: Database, policy: Retention): Promise<Retained> {
  return {
    runs: await inBatches(db, 'expire_runs', policy.runsMs),
    details: await inBatches(db, 'compact_runs', policy.detailsMs),
    artifacts: await inBatches(db, 'expire_artifacts', policy.artifactsMs),
    usage: await inBatches(db, 'expire_usage', policy.usageMs),
  };
}

async function inBatches(db: Database, name: string, afterMs: number | undefined): Promise<number> {
  if (afterMs === undefined) return 0;
  let gone = 0;
  for (;;) {
    const now = await db.call<number>(name, [wholeMs(afterMs), batch], 'repeatable');
    gone += now;
    if (now < batch) return gone;
  }
}

/** Applies the policy from time to time, until it is stopped. Several processes may: each takes other rows. */
export function keepRetaining(db: Database, policy: Retention, everyMs: number): () => void {
  const timer = setInterval(() => {
    retain(db, policy).catch((reason: unknown) => {
      process.emitWarning(
        `Steward's retention did not work, and is tried again: ${String(reason)}`,
      );
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
