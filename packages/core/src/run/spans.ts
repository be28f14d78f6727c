import { StewardError } from '../errors/steward-error.ts';
import type { CallRecord, CallResult } from '../stores/run-store.ts';
import type { OwnedRun } from './owned-run.ts';
import type { ReadTurn } from './read-turn.ts';

/** The span of a segment of a run: what one owner does of it. */
export function inRunSpan(run: OwnedRun, work: () => Promise<void>): Promise<void> {
  const { runId, conversationId } = run.record;
  const span = run.settings.telemetry.span('invoke_agent', {
    'gen_ai.conversation.id': conversationId,
    'steward.run.id': runId,
    'steward.run.epoch': run.fence.epoch,
  });
  return span.run(work).finally(() => {
    const { end, usage } = run;
    span.set({
      'steward.run.status': end?.status ?? 'open',
      'gen_ai.usage.input_tokens': usage.inputTokens,
      'gen_ai.usage.output_tokens': usage.outputTokens,
    });
    span.end(end?.error?.code);
  });
}

/** The span of a model turn with all its tries. */
export async function inTurnSpan(run: OwnedRun, work: () => Promise<ReadTurn>): Promise<ReadTurn> {
  const { telemetry, clock } = run.settings;
  const began = clock.now();
  const span = telemetry.span('chat', { 'gen_ai.conversation.id': run.record.conversationId });
  try {
    const read = await span.run(work);
    const model = read.finish?.model ?? 'unknown';
    span.set({ 'gen_ai.response.model': model });
    if (read.finish?.reason) span.set({ 'gen_ai.response.finish_reasons': read.finish.reason });
    recordUsage(run, model, read);
    telemetry.record('gen_ai.client.operation.duration', (clock.now() - began) / 1_000, {
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.model': model,
    });
    span.end();
    return read;
  } catch (reason) {
    span.end(StewardError.from(reason, 'model_failed').code);
    throw reason;
  }
}

/** The span of one attempt of a tool call. */
export async function inToolSpan(
  run: OwnedRun,
  call: CallRecord,
  work: () => Promise<CallResult>,
): Promise<CallResult> {
  const span = run.settings.telemetry.span('execute_tool', {
    'gen_ai.tool.name': call.tool,
    'gen_ai.tool.call.id': call.callId,
    'gen_ai.tool.type': 'function',
    'steward.tool.effect': call.effect,
  });
  try {
    const result = await span.run(work);
    span.set({ 'steward.tool.outcome': result.outcome });
    span.end(result.code);
    return result;
  } catch (reason) {
    span.end(StewardError.from(reason, 'internal').code);
    throw reason;
  }
}

function recordUsage(run: OwnedRun, model: string, { finish }: ReadTurn): void {
  const usage = finish?.usage;
  if (!usage) return;
  const record = (type: 'input' | 'output', tokens: number) =>
    run.settings.telemetry.record('gen_ai.client.token.usage', tokens, {
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.model': model,
      'gen_ai.token.type': type,
    });
  record('input', usage.inputTokens);
  record('output', usage.outputTokens);
}
