import type { ErrorCode } from '../errors/error-codes.ts';
import type { CallRecord, CallResult, StartOutcome } from '../stores/run-store.ts';
import type { Tool } from '../tools/tool.ts';
import { isLost, unknownResult } from './call-results.ts';
import type { OwnedRun } from './owned-run.ts';
import { performCall, reconcileCall } from './perform-call.ts';
import type { EventBody } from './run-log.ts';
import { inToolSpan } from './spans.ts';

/** Tries of a call that may be repeated and whose answer was lost. */
const maxAttempts = 3;

type Prepared =
  | { readonly ok: true; readonly tool: Tool }
  | { readonly ok: false; readonly refusal: Refusal };

interface Refusal {
  readonly code: ErrorCode;
  readonly content: string;
}

/** One tool call: prepare, start through the gate, execute, finish. Always ends in a result for the model. */
export async function runCall(run: OwnedRun, call: CallRecord): Promise<void> {
  const prepared = await prepare(run, call);
  if (!prepared.ok) return refuseCall(run, call, prepared.refusal);
  if (await reconciled(run, call, prepared.tool)) return;
  for (let attempt = call.starts + 1; ; attempt++) {
    const start = await startCall(run, call, { tool: prepared.tool, attempt });
    if (start.kind !== 'go') return endUnstarted(run, call, start);
    const result = await inToolSpan(run, call, () =>
      performCall(run, { call, tool: prepared.tool, attempt: start.attempt }),
    );
    await run.settings.crashPoint('after_effect');
    if (!isLost(result)) return finishCall(run, call, result);
    if (attempt < maxAttempts && !run.stopReason) continue;
    return finishCall(run, call, call.effect === 'read' ? result : unknownResult);
  }
}

/** Answers a call that was declined or not approved in time. */
export function declineCall(
  run: OwnedRun,
  call: CallRecord,
  decision: 'declined' | 'expired',
): Promise<void> {
  const content =
    decision === 'declined'
      ? 'Not run: the user declined this call. Do not repeat it unless the user asks for it.'
      : 'Not run: nobody approved this call in time.';
  const code = decision === 'declined' ? 'call_declined' : 'confirmation_expired';
  return finishCall(run, call, { outcome: 'declined', content, code }, confirmationEvents(call));
}

/** Answers a call that cannot or may not be started. */
export function refuseCall(run: OwnedRun, call: CallRecord, refusal: Refusal): Promise<void> {
  return finishCall(run, call, { outcome: 'failed', ...refusal }, confirmationEvents(call));
}

async function prepare(run: OwnedRun, call: CallRecord): Promise<Prepared> {
  const tool = run.settings.tools.get(call.tool);
  if (!tool) {
    const content = `Not run: there is no tool named "${call.tool}".`;
    return { ok: false, refusal: { code: 'tool_not_found', content } };
  }
  if (call.authorization !== 'waived:invalid') return { ok: true, tool };
  const validation = await tool.validate(call.args);
  const why = validation.valid ? 'they are not valid JSON' : validation.message;
  const content = `Not run: the arguments do not fit the tool: ${why}`;
  return { ok: false, refusal: { code: 'invalid_argument', content } };
}

/** A write that an earlier owner started: asks the tool, if it can tell, whether it took effect. */
async function reconciled(run: OwnedRun, call: CallRecord, tool: Tool): Promise<boolean> {
  if (call.status !== 'started' || call.effect !== 'write') return false;
  const result = await reconcileCall(run, call, tool);
  if (result) await finishCall(run, call, result);
  return result !== undefined;
}

/** The gate: nothing else in Steward leads to an effect. */
async function startCall(
  run: OwnedRun,
  call: CallRecord,
  { tool, attempt }: { readonly tool: Tool; readonly attempt: number },
): Promise<StartOutcome> {
  run.throwIfStopped();
  await run.settings.crashPoint('before_start_call');
  const started: EventBody = {
    type: 'tool_started',
    callId: call.callId,
    tool: call.tool,
    attempt,
  };
  const outcome = await run.log.store(
    attempt === 1 ? [...confirmationEvents(call), started] : [started],
    (events) =>
      run.settings.stores.runs.startCall(
        run.fence,
        {
          callId: call.callId,
          argsDigest: call.argsDigest,
          definitionHash: tool.definitionHash,
        },
        events,
      ),
    (start) => start.kind === 'go',
  );
  await run.settings.crashPoint('after_start_call');
  return outcome;
}

const refusals: Readonly<Record<Extract<StartOutcome, { kind: 'refused' }>['code'], string>> = {
  tool_changed: 'the definition of the tool changed since the call was planned',
  args_mismatch: 'the arguments are not the ones that were planned',
  confirmation_required: 'it needs an approval that it does not have',
  confirmation_expired: 'the approval was not used in time',
  not_found: 'the call is not in the ledger',
};

function endUnstarted(
  run: OwnedRun,
  call: CallRecord,
  start: Exclude<StartOutcome, { kind: 'go' }>,
): Promise<void> {
  switch (start.kind) {
    case 'ended':
      run.ended(call.callId, start.result);
      return Promise.resolve();
    case 'unknown':
      return finishCall(run, call, unknownResult);
    case 'refused': {
      const content = `Not run: ${refusals[start.code]}.`;
      return refuseCall(run, call, { code: start.code, content });
    }
  }
}

async function finishCall(
  run: OwnedRun,
  call: CallRecord,
  result: CallResult,
  before: readonly EventBody[] = [],
): Promise<void> {
  const { callId, tool } = call;
  await run.log.store(
    [...before, { type: 'tool_result', callId, tool, ...result }],
    (events) => run.settings.stores.runs.finishCall(run.fence, callId, result, events),
    (isFirst) => isFirst,
  );
  run.ended(callId, result);
  await run.settings.crashPoint('after_finish_call');
}

/** Tells readers of a decision, together with what follows from it. */
function confirmationEvents(call: CallRecord): EventBody[] {
  const { confirmation, callId } = call;
  if (call.status !== 'waiting' || confirmation === null) return [];
  const { status, decidedBy } = confirmation;
  if (status !== 'approved' && status !== 'declined' && status !== 'expired') return [];
  return [
    {
      type: 'confirmation',
      callId,
      decision: status,
      ...(decidedBy !== null && { by: decidedBy }),
    },
  ];
}
