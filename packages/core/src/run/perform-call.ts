import { type BoundOptions, boundResult } from '../artifacts/bound-result.ts';
import { StewardError } from '../errors/steward-error.ts';
import { defined } from '../internal/defined.ts';
import { digest } from '../internal/digest.ts';
import { derivedId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import { parseStorable } from '../internal/storable.ts';
import type { CallRecord, CallResult, InputRecord } from '../stores/run-store.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { resultOfFailure, unknownResult, withheldResult } from './call-results.ts';
import type { OwnedRun } from './owned-run.ts';
import { ToolDeadline } from './tool-deadline.ts';

/** A call that the gate let through. */
interface StartedCall {
  readonly call: CallRecord;
  readonly tool: Tool;
  readonly attempt: number;
}

/** Executes a call and makes what came of it fit for the model: bounded and masked. Throws only to hand the run over. */
export function performCall(run: OwnedRun, started: StartedCall): Promise<CallResult> {
  const { call, tool } = started;
  return inTime(run, started, async (deadline) => {
    const value = await tool.execute(call.args, toolContext(run, started, deadline));
    return boundResult(value, boundsOf(run, deadline));
  });
}

/** What the tool itself says of a write that an earlier owner started; `undefined` when it cannot tell. */
export async function reconcileCall(
  run: OwnedRun,
  call: CallRecord,
  tool: Tool,
): Promise<CallResult | undefined> {
  let isSettled = false;
  const result = await inTime(run, { call, tool }, async (deadline) => {
    const settled = await tool.reconcile(call.callId);
    if (!settled) return unknownResult;
    const bounded = await boundResult(settled.content, boundsOf(run, deadline));
    isSettled = true;
    return settled.succeeded ? bounded : { ...bounded, outcome: 'failed', code: 'tool_failed' };
  });
  return isSettled ? result : undefined;
}

/** Work on a call under the tool's deadline; what it throws becomes a result, and all words are masked. */
async function inTime(
  run: OwnedRun,
  { call, tool }: Pick<StartedCall, 'call' | 'tool'>,
  work: (deadline: ToolDeadline) => Promise<CallResult>,
): Promise<CallResult> {
  const timeoutMs = tool.timeoutMs ?? run.settings.limits.toolTimeoutMs;
  const deadline = new ToolDeadline(run, { timeoutMs, effect: call.effect });
  try {
    return await deadline.race(() =>
      work(deadline)
        .catch((reason: unknown) => resultOfFailure(call.effect, reason, deadline.signal.aborted))
        .then((result) => masked(run, call, result)),
    );
  } catch (reason) {
    // Another owner goes on from `started`: this one must not decide how the call ended.
    if (run.stopCause === 'fenced' || run.stopCause === 'shutdown') throw reason;
    return resultOfFailure(call.effect, reason, true);
  } finally {
    deadline.end();
  }
}

async function masked(run: OwnedRun, call: CallRecord, result: CallResult): Promise<CallResult> {
  try {
    const content: unknown = await run.settings.masking(result.content, { tool: call.tool });
    if (typeof content === 'string') return { ...result, content };
  } catch {
    // As below: words that nobody could mask are shown to nobody.
  }
  return result.outcome === 'unknown' ? unknownResult : withheldResult;
}

function boundsOf(run: OwnedRun, deadline: ToolDeadline): BoundOptions {
  const { settings, record } = run;
  return {
    artifacts: settings.stores.artifacts,
    owner: { tenantId: record.tenantId, userId: record.userId },
    runId: record.runId,
    limitBytes: settings.limits.resultLimitBytes,
    signal: deadline.signal,
  };
}

function toolContext(run: OwnedRun, started: StartedCall, deadline: ToolDeadline): ToolContext {
  const { runId, conversationId } = run.record;
  const { callId } = started.call;
  let questions = 0;
  return {
    runId,
    callId,
    conversationId,
    principal: run.principal,
    idempotencyKey: callId,
    attempt: started.attempt,
    signal: deadline.signal,
    // Only what belongs there: a server's own names must not become those of an event.
    progress: ({ progress, total, message }) => {
      if (deadline.isOver) return;
      run.log.show({ type: 'tool_progress', callId, progress, ...defined({ total, message }) });
    },
    requestInput: ({ message, schema, url }) =>
      deadline.suspended(() =>
        askPerson(
          run,
          started,
          { n: ++questions, message, ...defined({ schema, url }) },
          deadline.signal,
        ),
      ),
  };
}

/**
 * Asks a person. The same question of a later attempt is the same request: who was asked is not asked again, and an
 * answer that a lost owner did not use is used.
 */
async function askPerson(
  run: OwnedRun,
  { call, tool }: StartedCall,
  { n, ...asked }: Parameters<ToolContext['requestInput']>[0] & { readonly n: number },
  signal: AbortSignal,
): Promise<Json> {
  const question = parseStorable(JSON.stringify(asked)) as typeof asked;
  const requestId = derivedId('input', call.callId, n, digest(question));
  const known = run.inputs.find((input) => input.requestId === requestId);
  if (known && known.answeredAt !== null) return known.answer;
  const answer = answerInTime(run, known ?? { requestId, askedAt: run.storeNow() }, signal);
  answer.catch(() => undefined);
  if (!known) {
    const server = tool.server ?? tool.name;
    const input = { requestId, callId: call.callId, server, ...question };
    await run.log.store([{ type: 'input_requested', ...input }], (events) =>
      run.settings.stores.runs.requestInput(run.fence, input, events),
    );
  }
  return answer;
}

/** The answer of a person, who may take as long as for a confirmation, whoever owns the run meanwhile. */
async function answerInTime(
  run: OwnedRun,
  { requestId, askedAt }: Pick<InputRecord, 'requestId' | 'askedAt'>,
  signal: AbortSignal,
): Promise<Json> {
  const { clock, limits } = run.settings;
  const late = new AbortController();
  const left = Math.max(0, askedAt + limits.decideWithinMs - run.storeNow());
  const cancel = clock.schedule(() => {
    late.abort(new StewardError('confirmation_expired', 'Nobody answered in time.'));
  }, left);
  try {
    return await run.waitForInput(requestId, AbortSignal.any([signal, late.signal]));
  } finally {
    cancel();
  }
}
