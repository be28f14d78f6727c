import { randomUUID } from 'node:crypto';
import type { CreateOutcome, NewRun, Wake } from '@steward/core';
import type { Database } from '../database/database.ts';
import { newRecord, readRun, type StoredRun } from './run-records.ts';
import { json, wholeMs } from './sql-values.ts';

type Answer =
  | {
      readonly kind: 'claimed' | 'queued';
      readonly createdAt: number;
      readonly now: number;
      readonly wake: readonly Wake[];
    }
  | { readonly kind: 'existing'; readonly run: StoredRun }
  | { readonly kind: 'request_conflict' | 'conversation_busy' | 'queue_full' };

/** Creates a run, or finds the one of the same request, or says why not. */
export async function createRun(db: Database, run: NewRun): Promise<CreateOutcome> {
  // Made here and not there: the same one again is this very call, whose answer was lost.
  const incarnation = randomUUID();
  const answer = await db.call<Answer>('create_run', valuesOf(run, incarnation), 'repeatable');
  switch (answer.kind) {
    case 'claimed':
    case 'queued': {
      const { kind, createdAt, now, wake } = answer;
      const isClaimed = kind === 'claimed';
      const record = newRecord(run, { incarnation, isClaimed, createdAt });
      return isClaimed ? { kind, run: record, now, wake } : { kind: 'queued', run: record, wake };
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
  ];
}
