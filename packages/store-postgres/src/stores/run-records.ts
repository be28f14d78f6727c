import type { InputRecord, NewRun, PendingInput, RunRecord, Usage } from '@steward/core';

/** A record as `run_json` builds it: questions apart from their answers. */
export interface StoredRun extends Omit<RunRecord, 'inputs'> {
  readonly inputs: readonly (Omit<InputRecord, keyof PendingInput> & {
    readonly asked: PendingInput;
  })[];
}

/** The record as the port has it. */
export function readRun(stored: StoredRun): RunRecord {
  const inputs = stored.inputs.map(({ asked, ...rest }) => ({ ...asked, ...rest }));
  return { ...stored, inputs };
}

const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
};

/** What the caller does not know of a run that is new. */
export interface Created {
  readonly incarnation: string;
  readonly createdAt: number;
}

/** The record of a run that was created and claimed just now. */
export function claimedRecord(run: NewRun, created: Created): RunRecord {
  const { events } = run.claim;
  return {
    ...queuedRecord(run, created),
    status: 'running',
    epoch: 1,
    eventCount: events.length,
    lastCursor: events.at(-1)?.cursor ?? null,
  };
}

/** The record of a run that was created just now: nothing that the caller knows is sent back over the network. */
export function queuedRecord(run: NewRun, created: Created): RunRecord {
  const { tenantId, userId, runId, conversationId, requestId, deadlineMs } = run;
  const { principal, input, options } = structuredClone({
    principal: run.principal,
    input: run.input,
    options: run.options,
  });
  return {
    tenantId,
    userId,
    runId,
    incarnation: created.incarnation,
    conversationId,
    principal,
    input,
    options,
    requestId,
    status: 'queued',
    epoch: 0,
    segment: 0,
    cancelRequested: false,
    createdAt: created.createdAt,
    deadlineAt: created.createdAt + Math.round(deadlineMs),
    turns: [],
    calls: [],
    inputs: [],
    steers: [],
    partial: null,
    usage: noUsage,
    eventCount: 0,
    lastCursor: null,
    end: null,
  };
}
