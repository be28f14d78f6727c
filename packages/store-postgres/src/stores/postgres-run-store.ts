import { randomUUID } from 'node:crypto';
import { type Claim, type Fence, type RunStore, turnReservation } from '@steward/core';
import type { Database } from '../database/database.ts';
import { createRun } from './create-run.ts';
import { readRun, type StoredRun } from './run-records.ts';
import { json, wholeMs, windowOf } from './sql-values.ts';
import { readMessage, type StoredMessage } from './stored-message.ts';

type Owning = Pick<
  RunStore,
  'create' | 'claim' | 'renew' | 'release' | 'load' | 'heads' | 'events' | 'sweep'
>;
type Working = Pick<
  RunStore,
  'append' | 'savePartial' | 'commitTurn' | 'startCall' | 'finishCall' | 'applySteers' | 'finish'
>;
type Asking = Pick<
  RunStore,
  'pause' | 'decide' | 'requestInput' | 'answerInput' | 'steer' | 'requestCancel'
>;

type StoredClaim = Omit<Claim, 'run' | 'history'> & {
  readonly run: StoredRun;
  readonly history: readonly StoredMessage[];
};

/**
 * A RunStore in the tables of a schema: each verb is one function there, which is its transaction. Each is sent again
 * when its answer was lost: a function knows a call that it has seen by what it wrote, by its cursors, or by a token.
 * Leases are kept over `leases`, where no other work makes them wait.
 */
export function postgresRunStore(db: Database, leases: Database): RunStore {
  return { ...owning(db, leases), ...working(db), ...asking(db) };
}

const held = ({ runId, epoch }: Fence) => [runId, epoch] as const;

function owning(db: Database, leases: Database): Owning {
  return {
    create: (run) => createRun(db, run),
    claim: async (runId, request) => {
      const { owner, ttlMs } = request;
      const values = [runId, owner, wholeMs(ttlMs), randomUUID(), ...windowOf(request)];
      const claim = await db.call<StoredClaim | null>('claim_run', values, 'repeatable');
      return (
        claim && { ...claim, run: readRun(claim.run), history: claim.history.map(readMessage) }
      );
    },
    renew: async (fences, ttlMs) =>
      fences.length === 0
        ? []
        : leases.call('renew_leases', [json(fences), wholeMs(ttlMs)], 'repeatable'),
    release: (fence) => db.call('release_run', [...held(fence), randomUUID()], 'repeatable'),
    load: async (runId, owner) => {
      const values = [runId, owner?.tenantId ?? null, owner?.userId ?? null];
      const stored = await db.call<StoredRun | null>('load_run', values, 'repeatable');
      return stored && readRun(stored);
    },
    heads: async (runIds) =>
      runIds.length === 0 ? [] : db.call('run_heads', [json(runIds)], 'repeatable'),
    events: (runId, after, limit) => db.call('read_events', [runId, after, limit], 'repeatable'),
    sweep: ({ queuedForMs, limit }) =>
      db.call('sweep_runs', [wholeMs(queuedForMs), limit], 'repeatable'),
  };
}

function working(db: Database): Working {
  return {
    append: (fence, events) =>
      db.run('append_events', [...held(fence), json(events)], 'repeatable'),
    savePartial: (fence, partial) =>
      db.run('save_partial', [...held(fence), json(partial)], 'repeatable'),
    commitTurn: (fence, turn, calls, events) => {
      const { usage } = turn;
      const counted = [json(usage), turnReservation(fence, turn.turn)];
      const values = [turn.turn, json(turn), ...counted, json(calls), json(events)];
      return db.run('commit_turn', [...held(fence), ...values], 'repeatable');
    },
    startCall: (fence, { callId, argsDigest, definitionHash }, events) => {
      const values = [callId, argsDigest, definitionHash, randomUUID(), json(events)];
      return db.call('start_call', [...held(fence), ...values], 'repeatable');
    },
    finishCall: (fence, callId, result, events) =>
      db.call('finish_call', [...held(fence), callId, json(result), json(events)], 'repeatable'),
    applySteers: (fence, steerIds, turn, events) =>
      db.run('apply_steers', [...held(fence), json(steerIds), turn, json(events)], 'repeatable'),
    finish: (fence, end, message, events) => {
      const values = [json(end), json(message), json(events)];
      return db.call('finish_run', [...held(fence), ...values], 'repeatable');
    },
  };
}

function asking(db: Database): Asking {
  return {
    pause: async (fence, ask, events) => {
      const whole = ask.map(({ callId, decideWithinMs }) => ({
        callId,
        decideWithinMs: wholeMs(decideWithinMs),
      }));
      const values = [...held(fence), json(whole), json(events), randomUUID()];
      return (await db.call<boolean>('pause_run', values, 'repeatable')) ? 'paused' : 'go_on';
    },
    decide: ({ runId, tenantId, userId, callId, approve, argsDigest, useWithinMs }) => {
      const about = [runId, tenantId, userId, callId];
      const values = [approve, argsDigest, wholeMs(useWithinMs), randomUUID()];
      return db.call('decide_call', [...about, ...values], 'repeatable');
    },
    requestInput: (fence, input, events) => {
      const values = [input.requestId, json(input), json(events)];
      return db.run('request_input', [...held(fence), ...values], 'repeatable');
    },
    answerInput: (runId, { tenantId, userId }, requestId, answer) => {
      const values = [runId, tenantId, userId, requestId, JSON.stringify(answer), randomUUID()];
      return db.call('answer_input', values, 'repeatable');
    },
    steer: (runId, { tenantId, userId }, { steerId, text }) =>
      db.call('steer_run', [runId, tenantId, userId, steerId, text], 'repeatable'),
    requestCancel: (runId, { tenantId, userId }) =>
      db.call('request_cancel', [runId, tenantId, userId], 'repeatable'),
  };
}
