import type { PendingInput, RunEvent } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import type { Fence, InputRecord, Owner, Wake } from '../run-store.ts';
import { cancelRun } from './cancel.ts';
import type { InProcessDatabase } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';
import { appendEvents, fenced, ownRun, update } from './run-rows.ts';

/** Records a question to the person; nothing when it was asked before. */
export function requestInput(
  db: InProcessDatabase,
  fence: Fence,
  input: PendingInput,
  events: readonly RunEvent[],
): void {
  const row = fenced(db, fence);
  const { inputs } = row.record;
  if (inputs.some((known) => known.requestId === input.requestId)) return;
  const asked = frozenCopy<InputRecord>({
    ...input,
    askedAt: db.clock.now(),
    answer: null,
    answeredAt: null,
  });
  update(row, { inputs: Object.freeze([...inputs, asked]) });
  appendEvents(row, events);
}

/** Answers it, once. */
export function answerInput(
  db: InProcessDatabase,
  runId: string,
  owner: Owner,
  given: { readonly requestId: string; readonly answer: Json },
): 'answered' | 'not_found' | 'already_decided' {
  const row = ownRun(db, runId, owner);
  const asked = row?.record.inputs.find((input) => input.requestId === given.requestId);
  if (row === undefined || asked === undefined) return 'not_found';
  if (asked.answeredAt !== null || row.record.end !== null) return 'already_decided';
  const answered = frozenCopy<InputRecord>({
    ...asked,
    answer: given.answer,
    answeredAt: db.clock.now(),
  });
  update(row, {
    inputs: Object.freeze(row.record.inputs.map((input) => (input === asked ? answered : input))),
  });
  return 'answered';
}

/** Adds a text for the next turn; once per `steerId`. */
export function steer(
  db: InProcessDatabase,
  runId: string,
  owner: Owner,
  given: { readonly steerId: string; readonly text: string },
): 'ok' | 'not_found' | 'not_waiting' {
  const row = ownRun(db, runId, owner);
  if (row === undefined) return 'not_found';
  if (row.record.end !== null || row.record.input.kind === 'call') return 'not_waiting';
  const { steers } = row.record;
  if (steers.some((known) => known.steerId === given.steerId)) return 'ok';
  const { steerId, text } = given;
  update(row, { steers: Object.freeze([...steers, Object.freeze({ steerId, text, turn: null })]) });
  return 'ok';
}

/** Marks steers as given to the model in a turn. */
export function applySteers(
  db: InProcessDatabase,
  fence: Fence,
  applied: { readonly steerIds: readonly string[]; readonly turn: number },
  events: readonly RunEvent[],
): void {
  const row = fenced(db, fence);
  const steers = row.record.steers.map((known) =>
    known.turn === null && applied.steerIds.includes(known.steerId)
      ? Object.freeze({ ...known, turn: applied.turn })
      : known,
  );
  update(row, { steers: Object.freeze(steers) });
  appendEvents(row, events);
}

/** Asks a run to end. */
export function requestCancel(
  db: InProcessDatabase,
  runId: string,
  owner: Owner,
): { readonly found: boolean; readonly wake: readonly Wake[] } {
  const row = ownRun(db, runId, owner);
  if (row === undefined) return { found: false, wake: [] };
  return { found: true, wake: cancelRun(db, row, owner.userId) };
}
