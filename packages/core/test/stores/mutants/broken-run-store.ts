import { createDatabase, type InProcessDatabase } from '../../../src/stores/in-process/database.ts';
import { inProcessAuditLog } from '../../../src/stores/in-process/in-process-audit-log.ts';
import { inProcessConversationStore } from '../../../src/stores/in-process/in-process-conversation-store.ts';
import { inProcessRunStore } from '../../../src/stores/in-process/in-process-run-store.ts';
import { inProcessUsageStore } from '../../../src/stores/in-process/in-process-usage-store.ts';
import type { RunStore } from '../../../src/stores/run-store.ts';
import type { RunStoreSubject } from '../../../src/testing/suites/run-store-samples.ts';
import { clock } from '../in-process-driver.ts';
import type { Mutant } from './mutant.ts';

/** Verbs of a RunStore as a mutant has them. */
export type Breakage = (runs: RunStore, db: InProcessDatabase) => Partial<RunStore>;

/** The in-process stores with some verbs of the RunStore broken. */
export function broken(breakage: Breakage, caughtBy: string): Mutant<RunStoreSubject> {
  const open = async (): Promise<RunStoreSubject> => {
    const db = createDatabase(clock, { finishedRuns: 1_000, compactRuns: 1_000 });
    const runs = inProcessRunStore(db);
    return {
      runs: { ...runs, ...breakage(runs, db) },
      conversations: inProcessConversationStore(db),
      usage: inProcessUsageStore(db),
      audit: inProcessAuditLog(db),
    };
  };
  const driver = {
    open,
    reopen: async (store: RunStoreSubject) => ({ ...store }),
    passTime: (ms: number) => clock.advance(ms),
    close: async () => {},
  };
  return { driver, caughtBy };
}

/** The row of a run that is there. */
export function rowOf(db: InProcessDatabase, runId: string) {
  const row = db.runs.get(runId);
  if (row === undefined) throw new Error(`no run ${runId}`);
  return row;
}
