import { randomUUID } from 'node:crypto';
import type { CreateOutcome, NewRun, Wake } from '@steward/core';
import type { Database } from '../database/database.ts';
import { claimedRecord, queuedRecord, readRun, type StoredRun } from './run-records.ts';
import { json, wholeMs, windowOf } from './sql-values.ts';
import { readMessage, type StoredMessage } from './stored-message.ts';

type Answer =
  | {
      readonly kind: 'claimed';
      readonly createdAt: number;
      readonly now: number;
      readonly history: readonly StoredMessage[];
      readonly wake: readonly Wake[];
    }
  | { readonly kind: 'queued'; readonly createdAt: number; readonly wake: readonly Wake[] }
  | { readonly kind: 'existing'; readonly run: StoredRun }
  | { readonly kind: 'request_conflict' | 'conversation_busy' | 'queue_full' };

/** Creates a run, or finds the one of the same request, or says why not. */
export async function createRun(db: Database, run: NewRun): Promise<CreateOutcome> {
  // Made here and not there: the same one again is this very call, whose answer was lost.
  const incarnation = randomUUID();
  const answer = await db.call<Answer>('create_run', valuesOf(run, incarnation), 'repeatable');
  switch (answer.kind) {
    case 'claimed': {
      const { kind, createdAt, now, wake } = answer;
      const record = claimedRecord(run, { incarnation, createdAt });
      return { kind, run: record, now, history: answer.history.map(readMessage), wake };
    }
    case 'queued': {
      const { kind, createdAt, wake } = answer;
      return { kind, run: queuedRecord(run, { incarnation, createdAt }), wake };
    }
    case 'existing':
      return { kind: 'existing', run: readRun(answer.run) };
    default:
      return answer;
  }
}

/** In the order of the parameters of `create_run`. */
function valuesOf(run: NewRun, incarnation: string): readonly unknown[] {
  return [
    run.runId,
    incarnation,
    run.tenantId,
    run.userId,
    run.conversationId,
    run.requestId,
    run.requestDigest,
    json(run.principal),
    json(run.input),
    json(run.options),
    wholeMs(run.deadlineMs),
    run.onBusy,
    run.queueLimit,
    run.claim.owner,
    wholeMs(run.claim.ttlMs),
    ...windowOf(run.claim),
    json(run.claim.events),
  ];
}
