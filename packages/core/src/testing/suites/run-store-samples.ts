import assert from 'node:assert/strict';
import type { RunEvent } from '../../events/run-event.ts';
import { newId } from '../../internal/ids.ts';
import type {
  CallResult,
  ClaimRequest,
  CommittedTurn,
  Decision,
  Fence,
  NewRun,
  Owner,
  PlannedCall,
  RunEnd,
  RunRecord,
  Wake,
} from '../../stores/run-store.ts';
import type { Stores } from '../../stores/stores.ts';
import type { SuiteCase, SuiteContext } from './suite.ts';

/** The RunStore with the stores that show what it wrote. */
export type RunStoreSubject = Pick<Stores, 'runs' | 'conversations' | 'usage' | 'audit'>;
export type RunStoreCase = SuiteCase<RunStoreSubject>;

export const owner: Owner = { tenantId: 'tenant-1', userId: 'user-1' };
/** Another user of the same tenant, and a user of the same name in another tenant. */
export const strangers: readonly Owner[] = [
  { tenantId: 'tenant-1', userId: 'user-2' },
  { tenantId: 'tenant-2', userId: 'user-1' },
];

/** A lease, deadline or expiry that does not end within a case. */
export const long = 600_000;
/** One that ends within {@link longer}. */
export const short = 60;
export const longer = 150;

/** A claim that wants all of the conversation. */
export function claimBy(owner: string, ttlMs: number): ClaimRequest {
  return { owner, ttlMs, history: { messages: 1_000, bytes: 1_000_000 } };
}

/** What a new run is claimed with at once. */
export function beginBy(
  owner: string,
  ttlMs: number,
  events: readonly RunEvent[] = [],
): NewRun['claim'] {
  return { ...claimBy(owner, ttlMs), events };
}

export function newRun(changes: Partial<NewRun> = {}): NewRun {
  return {
    ...owner,
    runId: newId('run'),
    conversationId: newId('conversation'),
    principal: { userId: 'user-1', roles: ['admin'] },
    input: { kind: 'message', content: 'Hello' },
    options: { maxTurns: 5 },
    requestId: null,
    requestDigest: null,
    deadlineMs: long,
    onBusy: 'refuse',
    queueLimit: 8,
    claim: beginBy('process-1', long),
    ...changes,
  };
}

/** A run that the case owns. */
export async function startRun(
  { store }: SuiteContext<RunStoreSubject>,
  changes: Partial<NewRun> = {},
): Promise<{ readonly run: RunRecord; readonly fence: Fence }> {
  const outcome = await store.runs.create(newRun(changes));
  assert.equal(outcome.kind, 'claimed');
  assert.ok('run' in outcome);
  const { run } = outcome;
  return { run, fence: { runId: run.runId, epoch: run.epoch } };
}

/** A run whose owner is gone: its lease has run out. */
export async function abandonedRun(
  context: SuiteContext<RunStoreSubject>,
  changes: Partial<NewRun> = {},
) {
  const started = await startRun(context, { claim: beginBy('lost', short), ...changes });
  await context.passTime(longer);
  return started;
}

/** Claims a run for another process. */
export async function claimed({ store }: SuiteContext<RunStoreSubject>, runId: string) {
  const claim = await store.runs.claim(runId, claimBy('process-2', long));
  assert.ok(claim, `run ${runId} should be free to claim`);
  return { ...claim, fence: { runId, epoch: claim.run.epoch } };
}

/** The runs that the end of another one wakes. */
export function wokenBy(outcome: readonly Wake[] | 'steered'): readonly string[] {
  assert.ok(outcome !== 'steered', 'the run should have ended');
  return outcome.map(({ runId }) => runId);
}

/** The run as the store has it now. */
export async function stored(
  { store }: SuiteContext<RunStoreSubject>,
  runId: string,
): Promise<RunRecord> {
  const run = await store.runs.load(runId, owner);
  assert.ok(run, `run ${runId} should be there`);
  return run;
}

export function event({ runId, epoch }: Fence, k: number, message = `event ${k}`): RunEvent {
  return { type: 'warning', runId, at: 1, cursor: `${epoch}-${k}`, code: 'internal', message };
}

export function turnOf(turn: number, changes: Partial<CommittedTurn> = {}): CommittedTurn {
  return {
    turn,
    message: { role: 'assistant', content: `turn ${turn}` },
    finishReason: 'stop',
    responseId: null,
    usage: null,
    ...changes,
  };
}

export function callOf(changes: Partial<PlannedCall> = {}): PlannedCall {
  return {
    callId: newId('call'),
    turn: 1,
    index: 0,
    modelCallId: 'provider-1',
    tool: 'send_email',
    args: { to: 'a@example.com', nested: { list: [1, 2] } },
    argsDigest: 'digest-of-args',
    definitionHash: 'hash-of-definition',
    effect: 'write',
    authorization: 'confirm',
    ...changes,
  };
}

export function requestOf({ callId, argsDigest, definitionHash }: PlannedCall) {
  return { callId, argsDigest, definitionHash };
}

export const success: CallResult = { outcome: 'succeeded', content: 'sent' };

export const ended: RunEnd = {
  status: 'succeeded',
  text: 'Done.',
  finishReason: 'stop',
  error: null,
};

/** An owned run with calls of its first turn planned. */
export async function withCalls(
  context: SuiteContext<RunStoreSubject>,
  calls: readonly PlannedCall[],
  changes: Partial<NewRun> = {},
) {
  const started = await startRun(context, changes);
  await context.store.runs.commitTurn(started.fence, turnOf(1), calls, []);
  return started;
}

/** A run that waits for a person to decide these calls. */
export async function waitingRun(
  context: SuiteContext<RunStoreSubject>,
  calls: readonly PlannedCall[],
  { decideWithinMs = long, ...changes }: Partial<NewRun> & { decideWithinMs?: number } = {},
) {
  const started = await withCalls(context, calls, changes);
  const ask = calls.map(({ callId }) => ({ callId, decideWithinMs }));
  assert.equal(await context.store.runs.pause(started.fence, ask, []), 'paused');
  return started;
}

export function decisionOf(
  runId: string,
  call: PlannedCall,
  changes: Partial<Decision> = {},
): Decision {
  const { callId, argsDigest } = call;
  return { ...owner, runId, callId, argsDigest, approve: true, useWithinMs: long, ...changes };
}

/** A run owned again after a person approved its only call. */
export async function approvedRun(
  context: SuiteContext<RunStoreSubject>,
  call: PlannedCall,
  { useWithinMs = long, ...changes }: Partial<NewRun> & { useWithinMs?: number } = {},
) {
  const { run } = await waitingRun(context, [call], changes);
  const outcome = await context.store.runs.decide(decisionOf(run.runId, call, { useWithinMs }));
  assert.equal(outcome.kind, 'decided');
  return claimed(context, run.runId);
}

/** The actions in the audit chain of a run. */
export async function auditOf(
  { store }: SuiteContext<RunStoreSubject>,
  runId: string,
): Promise<string[]> {
  return (await store.audit.read(owner, runId)).map((record) => record.action);
}
