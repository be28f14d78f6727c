import type { CallRecord } from '../stores/run-store.ts';
import type { OwnedRun } from './owned-run.ts';
import { toolRequest } from './plan-calls.ts';
import { waitsForPerson } from './run-state.ts';
import { declineCall, refuseCall, runCall } from './tool-call.ts';

/**
 * Brings the open calls of a turn to their end: those that may start run in parallel; then all confirmations that are
 * still missing are asked at once. `paused`: the run waits in the store, and this owner is done with it.
 */
export async function runToolCalls(run: OwnedRun): Promise<'done' | 'paused'> {
  for (;;) {
    const open = run.openCalls();
    if (open.length === 0) return 'done';
    const ready = open.filter((call) => !waitsForPerson(call));
    await inParallel(ready, run.settings.limits.maxParallelCalls, (call) => endCall(run, call));
    const waiting = run.openCalls();
    if (waiting.length === 0) return 'done';
    run.throwIfStopped();
    if ((await askConfirmations(run, waiting)) === 'paused') return 'paused';
    await run.reload();
  }
}

function endCall(run: OwnedRun, call: CallRecord): Promise<void> {
  const { limits } = run.settings;
  if (call.index >= limits.maxCallsPerTurn) {
    return refuseCall(run, call, {
      code: 'invalid_argument',
      content: `Not run: at most ${limits.maxCallsPerTurn} tool calls are allowed in one turn.`,
    });
  }
  const decision = call.confirmation?.status;
  if (decision === 'declined' || decision === 'expired') return declineCall(run, call, decision);
  return runCall(run, call);
}

async function askConfirmations(
  run: OwnedRun,
  waiting: readonly CallRecord[],
): Promise<'paused' | 'go_on'> {
  const { stores, limits, crashPoint } = run.settings;
  await crashPoint('before_pause');
  const ask = waiting.filter((call) => call.confirmation === null);
  const expiresAt = run.storeNow() + limits.decideWithinMs;
  const outcome = await run.log.store(
    ask.map((call) => toolRequest(call, expiresAt)),
    (events) =>
      stores.runs.pause(
        run.fence,
        ask.map(({ callId }) => ({ callId, decideWithinMs: limits.decideWithinMs })),
        events,
      ),
  );
  await crashPoint('after_pause');
  return outcome;
}

/** Runs `work` on each item, at most `limit` at a time. All are tried; then the first failure is thrown. */
async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, worker);
  const outcomes = await Promise.allSettled(workers);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}
