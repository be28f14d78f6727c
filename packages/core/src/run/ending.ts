import { StewardError } from '../errors/steward-error.ts';
import type { CompleteReason } from '../events/run-event.ts';
import { turnMessages } from '../prompt/turn-messages.ts';
import type { CommittedTurn, RunEnd } from '../stores/run-store.ts';
import { dropResponse } from './open-response.ts';
import type { OwnedRun } from './owned-run.ts';
import { parseOutput } from './structured-output.ts';
import { terminalEvent } from './terminal-event.ts';

/** How a run came to its end. */
export type Ending =
  | { readonly kind: 'answer'; readonly turn: CommittedTurn }
  /** A limit was reached; what was said until then is the answer. */
  | { readonly kind: 'short'; readonly reason: CompleteReason }
  /** The one call of a run without a model has its result. */
  | { readonly kind: 'call' };

/** Ends a run that came to its end by itself. `steered`: it has not, somebody gave it more to answer. */
export async function endRun(run: OwnedRun, ending: Ending): Promise<'ended' | 'steered'> {
  switch (ending.kind) {
    case 'short':
      return finish(run, complete(run, ending.reason));
    case 'call':
      return finish(run, callEnd(run));
    case 'answer':
      return finish(run, await answerEnd(run, ending.turn));
  }
}

/** Ends a run that something stopped; or leaves it to its next owner, who will find it in the store. */
export async function endWith(run: OwnedRun, error: StewardError): Promise<void> {
  // Without the store nothing can be ended: the lease runs out, and the next owner goes on from what is committed.
  if (run.stopCause === 'fenced' || error.code === 'fenced' || error.code === 'store_unavailable') {
    return;
  }
  if (run.stopCause === 'shutdown') await release(run);
  else await finish(run, stoppedEnd(run, run.stopCause, error));
}

function stoppedEnd(
  run: OwnedRun,
  cause: 'deadline' | 'cancelled' | null,
  error: StewardError,
): RunEnd {
  switch (cause) {
    case 'deadline':
      return complete(run, 'deadline');
    case 'cancelled':
      return { status: 'cancelled', text: run.visibleText, finishReason: null, error: null };
    case null:
      return failed(run, error);
  }
}

async function finish(run: OwnedRun, end: RunEnd): Promise<'ended' | 'steered'> {
  const { stores, crashPoint } = run.settings;
  await crashPoint('before_finish');
  const turns = turnMessages(run);
  // What was said in a turn that was cut short is what the person has read: the next run has to know it.
  if (run.openText !== '') turns.push({ role: 'assistant', content: end.text });
  const said = turns.length > 0 || end.text !== '';
  const wakes = await run.log.store(
    [terminalEvent(end, run.usage)],
    (events) =>
      stores.runs.finish(run.fence, end, said ? { content: end.text, turns } : null, events),
    (outcome) => outcome !== 'steered',
  );
  if (wakes === 'steered') {
    await run.reload();
    return 'steered';
  }
  run.end = end;
  await crashPoint('after_finish');
  await dropResponse(run);
  await run.settings.waker.wake(wakes);
  return 'ended';
}

async function release(run: OwnedRun): Promise<void> {
  const wakes = await run.settings.stores.runs.release(run.fence);
  await run.settings.crashPoint('after_release');
  await run.settings.waker.wake(wakes);
}

async function answerEnd(run: OwnedRun, turn: CommittedTurn): Promise<RunEnd> {
  const { message, finishReason } = turn;
  if (finishReason === 'error') {
    return failed(
      run,
      new StewardError('model_failed', 'The provider ended the answer with an error.'),
    );
  }
  const reason =
    finishReason === 'length' || finishReason === 'content_filter' ? finishReason : 'stop';
  const end = complete(run, reason);
  if (!run.options.output || message.refusal !== undefined || reason !== 'stop') return end;
  const output = await parseOutput(message.content, run.options.output.schema);
  return output.valid
    ? { ...end, output: output.value }
    : failed(run, new StewardError('invalid_output', output.message));
}

const completeStatus: Readonly<Record<CompleteReason, RunEnd['status']>> = {
  stop: 'succeeded',
  length: 'succeeded',
  content_filter: 'succeeded',
  stalled: 'partial',
  budget: 'partial',
  deadline: 'partial',
  max_turns: 'partial',
};

function complete(run: OwnedRun, finishReason: CompleteReason): RunEnd {
  const refusal = run.turns.at(-1)?.message.refusal;
  return {
    status: completeStatus[finishReason],
    text: run.visibleText,
    ...(refusal !== undefined && { refusal }),
    finishReason,
    error: null,
  };
}

function callEnd(run: OwnedRun): RunEnd {
  const result = run.calls[0]?.result;
  if (!result) return failed(run, new StewardError('internal', 'The call has no result.'));
  if (result.outcome === 'succeeded') {
    return { status: 'succeeded', text: result.content, finishReason: 'stop', error: null };
  }
  return failed(run, new StewardError(result.code ?? 'tool_failed', result.content));
}

function failed(run: OwnedRun, { code, detail, retryable }: StewardError): RunEnd {
  return {
    status: 'failed',
    text: run.visibleText,
    finishReason: null,
    error: { code, message: detail, retryable },
  };
}
