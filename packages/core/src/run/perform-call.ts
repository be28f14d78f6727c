import { boundResult } from '../artifacts/bound-result.ts';
import { StewardError } from '../errors/steward-error.ts';
import { newId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import type { CallRecord, CallResult } from '../stores/run-store.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { resultOfFailure } from './call-results.ts';
import type { OwnedRun } from './owned-run.ts';
import { ToolDeadline } from './tool-deadline.ts';

/** A call that the gate let through. */
interface StartedCall {
  readonly call: CallRecord;
  readonly tool: Tool;
  readonly attempt: number;
}

/** Executes a call and makes what came of it fit for the model: masked and bounded. Throws only to hand the run over. */
export async function performCall(run: OwnedRun, started: StartedCall): Promise<CallResult> {
  const { call, tool } = started;
  const deadline = new ToolDeadline(run, tool.timeoutMs ?? run.settings.limits.toolTimeoutMs);
  try {
    const context = toolContext(run, started, deadline);
    return await deadline.race(async () =>
      fitForModel(run, call, await tool.execute(call.args, context), deadline.signal),
    );
  } catch (reason) {
    // Another owner goes on from `started`: this one must not decide how the call ended.
    if (run.stopCause === 'fenced' || run.stopCause === 'shutdown') throw reason;
    return resultOfFailure(call.effect, reason, deadline.signal.aborted);
  } finally {
    deadline.end();
  }
}

async function fitForModel(
  run: OwnedRun,
  call: CallRecord,
  value: unknown,
  signal: AbortSignal,
): Promise<CallResult> {
  const { settings, record } = run;
  const bounded = await boundResult(value, {
    artifacts: settings.stores.artifacts,
    owner: { tenantId: record.tenantId, userId: record.userId },
    runId: record.runId,
    limitBytes: settings.limits.resultLimitBytes,
    signal,
  });
  try {
    return { ...bounded, content: await settings.masking(bounded.content, { tool: call.tool }) };
  } catch (cause) {
    throw new StewardError('tool_failed', 'The result was withheld: masking it failed.', { cause });
  }
}

function toolContext(run: OwnedRun, started: StartedCall, deadline: ToolDeadline): ToolContext {
  const { runId, conversationId } = run.record;
  const { callId } = started.call;
  return {
    runId,
    callId,
    conversationId,
    principal: run.principal,
    idempotencyKey: callId,
    attempt: started.attempt,
    signal: deadline.signal,
    progress: (update) => run.log.show({ type: 'tool_progress', callId, ...update }),
    requestInput: (question) =>
      deadline.suspended(() => askPerson(run, started, question, deadline.signal)),
  };
}

async function askPerson(
  run: OwnedRun,
  { call, tool }: StartedCall,
  question: Parameters<ToolContext['requestInput']>[0],
  signal: AbortSignal,
): Promise<Json> {
  const requestId = newId('input');
  const input = { requestId, callId: call.callId, server: tool.server ?? tool.name, ...question };
  const answer = run.waitForInput(requestId, signal);
  answer.catch(() => undefined);
  await run.log.store([{ type: 'input_requested', ...input }], (events) =>
    run.settings.stores.runs.requestInput(run.fence, input, events),
  );
  return answer;
}
