import type { JsonObject } from '../../internal/json.ts';
import { chainEntry } from '../audit-chain.ts';
import type { AuditEntry, AuditRecord } from '../audit-log.ts';
import type { AuditChain, InProcessDatabase, RunRow } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

/** Entries kept of runs; an in-process audit is as mortal as its process, so the chains of the oldest may go. */
const keptRunEntries = 100_000;

/** Writes an entry into the chain of a run. */
export function auditRun(
  db: InProcessDatabase,
  row: RunRow,
  action: string,
  details: JsonObject,
): void {
  const { tenantId, userId, runId } = row.record;
  const chain = addEntry(db, { tenantId, userId, chain: runId, action, details });
  db.runChains.set(runId, chain);
  db.runEntries += 1;
  if (db.runEntries > keptRunEntries) dropOldestChain(db);
}

function dropOldestChain(db: InProcessDatabase): void {
  const [runId, chain] = db.runChains.shift() ?? [];
  if (runId === undefined || chain === undefined) return;
  db.runEntries -= chain.sealed.length + chain.open.length;
  db.chains.delete(runId);
}

/** Adds an entry at the end of its chain, to be hashed (and only then copied) later: it must not change until then. */
export function addEntry(db: InProcessDatabase, entry: AuditEntry): AuditChain {
  let chain = db.chains.get(entry.chain);
  if (chain === undefined) {
    chain = { sealed: [], open: [] };
    db.chains.set(entry.chain, chain);
  }
  chain.open.push({ entry, at: db.clock.now() });
  return chain;
}

/** Hashes what is not hashed yet and returns the whole chain. */
export function seal(chain: AuditChain): readonly AuditRecord[] {
  for (const { entry, at } of chain.open.splice(0)) {
    chain.sealed.push(Object.freeze(chainEntry(chain.sealed.at(-1), frozenCopy(entry), at)));
  }
  return chain.sealed;
}
