import type { AuditLog } from '../../src/stores/audit-log.ts';
import type { HostStores } from '../../src/stores/host-stores.ts';
import { seal } from '../../src/stores/in-process/audit-rows.ts';
import { createDatabase, type InProcessDatabase } from '../../src/stores/in-process/database.ts';
import { inProcessAuditLog } from '../../src/stores/in-process/in-process-audit-log.ts';
import { inProcessHostStores } from '../../src/stores/in-process/in-process-host-stores.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import type { ArtifactStoreDriver } from '../../src/testing/suites/artifact-store.ts';
import type { AuditLogDriver } from '../../src/testing/suites/audit-log.ts';
import type { SuiteDriver } from '../../src/testing/suites/suite.ts';

export const clock = fakeClock();
const passTime = (ms: number) => clock.advance(ms);

/** In-process stores on a clock that the suites move. */
export const inProcessDriver: SuiteDriver<Stores> = {
  open: async () => inProcessStores({ clock }),
  reopen: async (stores) => ({ ...stores }),
  passTime,
  close: (stores) => stores.close(),
};

/** What a web application keeps, on the same clock. */
export const hostDriver: SuiteDriver<HostStores> = {
  open: async () => inProcessHostStores({ clock }),
  reopen: async (stores) => ({ ...stores }),
  passTime,
  close: async () => {},
};

const artifactBytes = 3 * 1024 * 1024;

/** The same with a limit for artifacts that a suite can reach. */
export const artifactDriver: ArtifactStoreDriver<Stores> = {
  ...inProcessDriver,
  artifactBytes,
  open: async () => inProcessStores({ clock, artifactBytes }),
};

/** An audit log whose tables are within reach. */
export const auditDriver: AuditLogDriver<{ audit: AuditLog; db: InProcessDatabase }> = {
  open: async () => {
    const db = createDatabase(clock, { finishedRuns: 1, compactRuns: 1 });
    return { audit: inProcessAuditLog(db), db };
  },
  reopen: async ({ db }) => ({ audit: inProcessAuditLog(db), db }),
  passTime,
  close: async () => {},
  tamper: async ({ db }, name, edit) => {
    const chain = db.chains.get(name);
    if (chain !== undefined) chain.sealed = [...edit(seal(chain))];
  },
};
