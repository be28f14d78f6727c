import type { RunStartedEvent } from '../events/run-event.ts';
import type { Clock } from '../internal/clock.ts';
import { digest } from '../internal/digest.ts';
import { derivedId, newId } from '../internal/ids.ts';
import type { JsonObject } from '../internal/json.ts';
import type { ClaimRequest, NewRun, RunInput } from '../stores/run-store.ts';
import type { Principal } from '../tools/tool.ts';
import type { Lease, Limits, RunSettings, StoredRunOptions } from './run-settings.ts';

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
  settings: Pick<RunSettings, 'limits' | 'lease' | 'clock'>,
  ownerId: string,
): NewRun {
  const { requestId, conversationId, principal, input, options } = request;
  const { tenantId, userId } = ownerOf(principal);
  const runId =
    requestId === undefined ? newId('run') : derivedId('run', tenantId, userId, requestId);
  const place = { runId, conversationId: conversationId ?? runId.replace('run_', 'conversation_') };
  return {
    ...place,
    tenantId,
    userId,
    principal: principal as unknown as JsonObject,
    input,
    options: options as unknown as JsonObject,
    requestId: requestId ?? null,
    requestDigest:
      requestId === undefined ? null : digest([input, conversationId ?? null, options]),
    deadlineMs: request.timeoutMs ?? settings.limits.runTimeoutMs,
    onBusy: request.onBusy ?? 'refuse',
    queueLimit: settings.limits.queueLimit,
    claim: {
      ...claimRequest(settings, ownerId),
      // One tool call has no model that would read what was said before.
      ...(input.kind === 'call' && { history: { messages: 0, bytes: 0 } }),
      events: [firstEvent(place, settings.clock)],
    },
  };
}

/** What an owner asks for when it claims a run. */
export function claimRequest(
  { limits, lease }: { readonly limits: Limits; readonly lease: Lease },
  owner: string,
): ClaimRequest {
  const history = { messages: limits.historyMessages, bytes: limits.historyBytes };
  return { owner, ttlMs: lease.ttlMs, history };
}

/** Stored with the run itself, which saves its owner a write: hence at the first place of the first epoch. */
function firstEvent(run: { runId: string; conversationId: string }, clock: Clock): RunStartedEvent {
  return { type: 'run_started', ...run, at: clock.now(), cursor: '1-0' };
}
