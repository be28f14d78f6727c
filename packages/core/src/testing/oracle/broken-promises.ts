import type { BrokenPromise, EffectRecord, Evidence, Finding, RunEvidence } from './evidence.ts';
import { affectsOnce, type Effects, isAudited, startsOnlyWhatMay } from './ledger-promises.ts';
import { areReadRight } from './reader-promises.ts';
import {
  answersOnce,
  asksOnce,
  endsInTime,
  endsOnce,
  hasOneOwnerAtATime,
  hasWholeLog,
} from './run-promises.ts';

/**
 * The oracle: which of the promises I1 to I11 do not hold after whatever was done to the processes, the network and the
 * servers. An empty list is the answer to hope for. It judges records alone, so it can judge any set-up; the runs are
 * to be left in peace until they have ended, or I1 says that they have not.
 *
 * - I1 every accepted run ends, by its deadline; I2 with exactly one terminal event
 * - I3 each effect happens at most once, and only with the leave that the ledger records
 * - I4 the log of a run has no gap, and no owner wrote after its successor
 * - I5 every client ends with the text of the store; I6 one question and one answer per run
 * - I7 the audit chain is whole, with one record per start, end and decision
 * - I8 nobody is shown a run of somebody else
 * - I9 resources are back to within a tenth; I10 runs find a new owner in time; I11 no process fails unasked
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, inProcessStores, type RunEvent } from '@steward/core';
 * import { brokenPromises, evidenceOf } from '@steward/core/testing';
 *
 * const stores = inProcessStores();
 * const assistant = new Assistant({ model: demoModel(), stores });
 * const run = assistant.run('Hello');
 * const events: RunEvent[] = [];
 * for await (const event of run) events.push(event);
 * const reader = { tenantId: 'default', userId: 'local' };
 * const broken = brokenPromises({
 *   runs: await evidenceOf(stores, [run.id]),
 *   readings: [{ runId: run.id, reader, events }],
 * });
 * for (const { invariant, runId, callId, found } of broken) console.error(invariant, runId, callId, found);
 * ```
 */
export function brokenPromises(evidence: Evidence): readonly BrokenPromise[] {
  const runs = new Map(evidence.runs.map((one) => [one.run.runId, one]));
  const effects = evidence.effects && Map.groupBy(evidence.effects, ({ callId }) => callId);
  return [
    ...evidence.runs.flatMap((one) => ofRun(one, effects, evidence.deadlineGraceMs)),
    ...lost(evidence, runs),
    ...(evidence.effects ? ofNobody(evidence.effects, evidence.runs) : []),
    ...areReadRight(evidence.readings ?? [], runs),
    ...ofProcesses(evidence),
  ];
}

function ofRun(
  one: RunEvidence,
  effects: Effects | undefined,
  deadlineGraceMs = 20_000,
): BrokenPromise[] {
  const findings: Finding[] = [
    ...endsInTime(one, deadlineGraceMs),
    ...endsOnce(one),
    ...startsOnlyWhatMay(one),
    ...(effects ? affectsOnce(one, effects) : []),
    ...hasWholeLog(one),
    ...hasOneOwnerAtATime(one),
    ...asksOnce(one),
    ...answersOnce(one),
    ...isAudited(one),
  ];
  return findings.map((finding) => ({ ...finding, runId: one.run.runId }));
}

/** I1: what a client was told of is there. */
function lost({ accepted = [] }: Evidence, runs: ReadonlyMap<string, unknown>): BrokenPromise[] {
  return accepted
    .filter((runId) => !runs.has(runId))
    .map((runId) => ({ invariant: 'I1', runId, found: 'the run was accepted, and is lost' }));
}

/** I3: nothing happened outside that no ledger knows of. */
function ofNobody(effects: readonly EffectRecord[], runs: readonly RunEvidence[]): BrokenPromise[] {
  const known = new Set(runs.flatMap(({ run }) => run.calls.map(({ callId }) => callId)));
  return effects
    .filter(({ callId }) => !known.has(callId))
    .map(({ callId }) => ({ invariant: 'I3', callId, found: 'an effect that no ledger has' }));
}

function* ofProcesses({
  recoveries = [],
  recoverWithinMs = 15_000,
  resources = [],
  incidents = [],
}: Evidence): Generator<BrokenPromise, void, void> {
  for (const { name, before, after } of resources) {
    // Of a handful, one more is not a leak.
    if (Math.abs(after - before) > Math.max(1, before * 0.1)) {
      yield { invariant: 'I9', found: `${name} went from ${before} to ${after}` };
    }
  }
  for (const { runId, ms } of recoveries) {
    if (ms > recoverWithinMs) {
      yield { invariant: 'I10', runId, found: `it had no owner for ${ms} ms` };
    }
  }
  for (const found of incidents) yield { invariant: 'I11', found };
}
