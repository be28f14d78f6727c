import { randomUUID } from 'node:crypto';
import type { ClaimRequest, NewRun, PlannedCall } from '@steward/core';

export const owner = { tenantId: 'tenant-1', userId: 'user-1' };

/** A claim that lasts. */
export function claimBy(name: string): ClaimRequest {
  return { owner: name, ttlMs: 600_000, history: { messages: 40, bytes: 1_000_000 } };
}

/** A run to be created. */
export function newRun(changes: Partial<NewRun> = {}): NewRun {
  return {
    ...owner,
    runId: `run_${randomUUID()}`,
    conversationId: `conversation_${randomUUID()}`,
    principal: {},
    input: { kind: 'message', content: 'Hello' },
    options: {},
    requestId: null,
    requestDigest: null,
    deadlineMs: 600_000,
    onBusy: 'refuse',
    queueLimit: 8,
    claim: { ...claimBy('process-1'), events: [] },
    ...changes,
  };
}

/** A call that a person has to approve. */
export function callOf(changes: Partial<PlannedCall> = {}): PlannedCall {
  return {
    callId: `call_${randomUUID()}`,
    turn: 1,
    index: 0,
    modelCallId: 'provider-1',
    tool: 'send_email',
    args: {},
    argsDigest: 'digest-of-args',
    definitionHash: 'hash-of-definition',
    effect: 'write',
    authorization: 'confirm',
    ...changes,
  };
}
