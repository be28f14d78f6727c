import { digest } from '../../internal/digest.ts';
import { verifyChain } from '../../stores/audit-chain.ts';
import type { CallRecord } from '../../stores/run-store.ts';
import type { EffectRecord, Finding, RunEvidence } from './evidence.ts';

/** What the outside has seen, by call. */
export type Effects = ReadonlyMap<string, readonly EffectRecord[]>;

/** I3, inside: nothing was started that might not be, and what was started had its approval. */
export function* startsOnlyWhatMay({ run }: RunEvidence): Generator<Finding, void, void> {
  for (const call of run.calls) {
    const { callId } = call;
    for (const found of wrongStarts(call)) yield { invariant: 'I3', callId, found };
    if (run.status === 'succeeded' && call.result === null) {
      yield { invariant: 'I3', callId, found: 'the run succeeded, and the call has no result' };
    }
  }
}

function* wrongStarts(call: CallRecord): Generator<string, void, void> {
  const { effect, starts, startedBy, status } = call;
  const happened = status === 'succeeded' || status === 'unknown';
  if (starts === 0 && happened) yield `${status}, and never started`;
  if (starts === 0) return;
  if (effect === 'write' && starts > 1) yield `a write was started ${starts} times`;
  if (startedBy === null) yield 'started, and nobody knows by whose leave';
  if (!hasLeave(call)) yield 'started without a confirmation of this call';
}

function hasLeave({
  authorization,
  confirmation,
  startedBy,
  argsDigest,
  definitionHash,
}: CallRecord): boolean {
  if (authorization !== 'confirm') return startedBy === authorization;
  return (
    confirmation?.status === 'consumed' &&
    confirmation.argsDigest === argsDigest &&
    confirmation.definitionHash === definitionHash &&
    startedBy === `confirmed:${confirmation.decidedBy}`
  );
}

/** I3, outside: what the world has seen is what the ledger says. */
export function* affectsOnce(
  { run }: RunEvidence,
  effects: Effects,
): Generator<Finding, void, void> {
  for (const call of run.calls) {
    if (call.effect === 'read') continue;
    const seen = effects.get(call.callId) ?? [];
    for (const found of wrongEffects(call, seen)) {
      yield { invariant: 'I3', callId: call.callId, found };
    }
  }
}

function* wrongEffects(
  { effect, status, starts, argsDigest }: CallRecord,
  seen: readonly EffectRecord[],
): Generator<string, void, void> {
  const applied = seen.filter((one) => one.applied).length;
  if (applied > 1) yield `the effect happened ${applied} times`;
  if (effect === 'write' && seen.length > 1) yield `the outside was asked ${seen.length} times`;
  if (seen.length > starts) yield `${seen.length} requests outside, ${starts} starts`;
  if (status === 'succeeded' && applied === 0) yield 'it succeeded, and nothing happened';
  if (seen.some(({ args }) => args !== undefined && digest(args) !== argsDigest)) {
    yield 'the outside received other arguments';
  }
}

/** I7: the audit chain is whole and has each start, end and decision once. */
export function* isAudited({ run, audit }: RunEvidence): Generator<Finding, void, void> {
  const verdict = verifyChain(audit);
  if (!verdict.valid) {
    yield { invariant: 'I7', found: `the audit chain is broken at ${verdict.brokenAt}` };
  }
  const ends = audit.filter(({ action }) => action === 'run.ended').length;
  if (ends !== (run.end ? 1 : 0)) {
    yield { invariant: 'I7', found: `the end of the run is recorded ${ends} times` };
  }
  for (const call of run.calls) {
    const actions = audit
      .filter(({ details }) => details['callId'] === call.callId)
      .map(({ action }) => action);
    for (const found of wrongRecords(call, actions)) {
      yield { invariant: 'I7', callId: call.callId, found };
    }
  }
}

function* wrongRecords(
  { starts, result, confirmation }: CallRecord,
  actions: readonly string[],
): Generator<string, void, void> {
  const count = (...wanted: string[]) => actions.filter((one) => wanted.includes(one)).length;
  const started = count('call.started');
  if (started !== starts) yield `${starts} starts, ${started} of them recorded`;
  const finished = count('call.finished');
  if (finished !== (result ? 1 : 0)) yield `its end is recorded ${finished} times`;
  const decisions = count('confirmation.approved', 'confirmation.declined');
  if (decisions > 1) yield `${decisions} decisions are recorded`;
  const status = confirmation?.status;
  if ((status === 'approved' || status === 'consumed') && count('confirmation.approved') === 0) {
    yield 'its approval is not recorded';
  }
}
