import { digest } from '../internal/digest.ts';
import { derivedId, newId } from '../internal/ids.ts';
import type { JsonObject } from '../internal/json.ts';
import type { NewRun, RunInput } from '../stores/run-store.ts';
import type { Principal } from '../tools/tool.ts';
import type { Lease, Limits, StoredRunOptions } from './run-settings.ts';

/** What a run is asked for: checked, and in the form in which every store takes it. */
export interface RunRequest {
  readonly principal: Principal;
  readonly input: RunInput;
  readonly conversationId: string | undefined;
  readonly requestId: string | undefined;
  readonly onBusy: NewRun['onBusy'] | undefined;
  readonly timeoutMs: number | undefined;
  readonly options: StoredRunOptions;
}

/** The owner that a principal stands for. */
export function ownerOf(principal: Principal): { tenantId: string; userId: string } {
  return { tenantId: principal.tenantId ?? 'default', userId: principal.userId };
}

/**
 * The run as it will be stored. With a `requestId` its id is a hash of who asks and which request, so that the same
 * request finds the same run.
 */
export function newRun(
  request: RunRequest,
  settings: { readonly limits: Limits; readonly lease: Lease; readonly ownerId: string },
): NewRun {
  const { requestId, conversationId, principal, input, options } = request;
  const { tenantId, userId } = ownerOf(principal);
  const runId =
    requestId === undefined ? newId('run') : derivedId('run', tenantId, userId, requestId);
  return {
    runId,
    tenantId,
    userId,
    conversationId: conversationId ?? runId.replace('run_', 'conversation_'),
    principal: principal as unknown as JsonObject,
    input,
    options: options as unknown as JsonObject,
    requestId: requestId ?? null,
    requestDigest:
      requestId === undefined ? null : digest([input, conversationId ?? null, options]),
    deadlineMs: request.timeoutMs ?? settings.limits.runTimeoutMs,
    onBusy: request.onBusy ?? 'refuse',
    queueLimit: settings.limits.queueLimit,
    claim: { owner: settings.ownerId, ttlMs: settings.lease.ttlMs },
  };
}
