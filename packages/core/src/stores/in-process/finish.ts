import type { ConversationMessage } from '../../events/conversation-message.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type { Fence, RunEnd, Wake } from '../run-store.ts';
import { auditRun } from './audit-rows.ts';
import { expire } from './confirmations.ts';
import { addMessage, addQuestion } from './conversation-rows.ts';
import { type InProcessDatabase, ownedKey, type RunRow } from './database.ts';
import { dropRun } from './drop-run.ts';
import { frozenCopy } from './frozen-copy.ts';
import { appendEvents, fenced, update, wakeOf } from './run-rows.ts';

/** What ends with a run. */
export interface Ending {
  readonly end: RunEnd;
  readonly message: Pick<ConversationMessage, 'content' | 'turns'> | null;
  readonly events: readonly RunEvent[];
}

/** Ends the run and wakes the next of its conversation; unless it would leave out what was steered. */
export function finish(
  db: InProcessDatabase,
  fence: Fence,
  ending: Ending,
): readonly Wake[] | 'steered' {
  const row = fenced(db, fence);
  const { end, message, events } = ending;
  if (end.status === 'succeeded' && row.record.steers.some(({ turn }) => turn === null)) {
    return 'steered';
  }
  for (const { confirmation } of row.record.calls) {
    if (confirmation?.status === 'pending') expire(db, row, confirmation);
  }
  if (message !== null) addMessage(db, row, 'assistant', message);
  update(row, { status: end.status, end: frozenCopy(end), partial: null });
  appendEvents(row, events);
  auditRun(db, row, 'run.ended', {
    status: end.status,
    finishReason: end.finishReason,
    error: end.error?.code ?? null,
  });
  row.leaseUntil = 0;
  db.active.delete(row);
  db.finished.set(row.record.runId, row);
  forgetOld(db);
  return promoteNext(db, row);
}

function promoteNext(db: InProcessDatabase, ended: RunRow): readonly Wake[] {
  const key = ownedKey(ended.record, ended.record.conversationId);
  const [head, ...behind] = db.lanes.get(key) ?? [];
  if (head !== ended) {
    // It was cancelled while it waited for its turn.
    if (head) db.lanes.set(key, [head, ...behind.filter((row) => row !== ended)]);
    return [];
  }
  const [next] = behind;
  if (next === undefined) {
    db.lanes.delete(key);
    return [];
  }
  db.lanes.set(key, behind);
  const now = db.clock.now();
  next.wokenAt = now;
  // Its time begins now: waiting behind others is not its own doing.
  update(next, { deadlineAt: now + next.deadlineMs });
  addQuestion(db, next);
  return [wakeOf(next)];
}

/** Old runs lose their details first and are dropped later, so that a process may run for years. */
function forgetOld(db: InProcessDatabase): void {
  const { finished, compacted, retention } = db;
  const [runId, row] = (finished.size > retention.finishedRuns && finished.shift()) || [];
  if (runId === undefined || row === undefined) return;
  row.events = [];
  update(row, { turns: [], calls: [], inputs: [], steers: [] });
  compacted.set(runId, row);
  const [ancient] = (compacted.size > retention.compactRuns && compacted.shift()) || [];
  if (ancient !== undefined) dropRun(db, ancient);
}
