import { type InProcessDatabase, ownedKey } from './database.ts';

/** Forgets an ended run. */
export function dropRun(db: InProcessDatabase, runId: string): void {
  const record = db.runs.get(runId)?.record;
  if (record === undefined) return;
  db.runs.delete(runId);
  db.finished.delete(runId);
  db.compacted.delete(runId);
  if (record.requestId !== null) db.requests.delete(ownedKey(record, record.requestId));
}
