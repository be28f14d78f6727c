import { StewardError } from '../errors/steward-error.ts';
import type { OwnedRun } from './owned-run.ts';
import { planHostCall } from './plan-calls.ts';

/** Durable events that one owner can have stored in vain: calls of a turn that ended side by side. */
const maxMissed = 64;

/** Owners that a run may lose without any progress before it is given up. */
const maxTakeovers = 5;

/**
 * What a new owner does before it goes on from what is committed: the first one announces the run, a later one tells
 * readers to drop text that nobody committed.
 */
export async function prepareOwnership(run: OwnedRun): Promise<void> {
  const { record, settings } = run;
  if (run.takeovers > maxTakeovers) {
    throw new StewardError(
      'crash_loop',
      `The run lost ${run.takeovers} owners without progress; look for a tool that stops its process.`,
    );
  }
  if (run.begun.length > 0) run.log.showStored(run.begun);
  else if (record.eventCount === 0) await announce(run);
  else await goOn(run);
  if (record.input.kind === 'message' || run.turns.length > 0) return;
  await run.orStop(() => settings.connectServers(run.principal));
  await planHostCall(run);
}

async function goOn(run: OwnedRun): Promise<void> {
  await showMissed(run);
  run.throwIfStopped();
  await resetOpenTurn(run);
}

/**
 * Durable events that an earlier owner stored and could not show come before anything new. When the log has none of the
 * newest ones it was lost as a whole, or cannot be asked: its readers get a snapshot, unless nothing but the beginning was
 * ever said.
 */
async function showMissed({ record, settings, log }: OwnedRun): Promise<void> {
  const { runs, liveLog } = settings.stores;
  const isShown = async (cursor: string | null | undefined) => {
    const reader = await liveLog.tail(record, cursor ?? undefined);
    reader?.close();
    return reader !== undefined;
  };
  // Usually nothing is missing, and the store need not be asked.
  if (await isShown(record.lastCursor)) return;
  const first = Math.max(0, record.eventCount - maxMissed);
  const newest = (await runs.events(record.runId, first, maxMissed)).map(({ event }) => event);
  let at = newest.length - 1;
  while (at >= 0 && !(await isShown(newest[at]?.cursor))) at -= 1;
  if (at >= 0 || record.eventCount === 1) log.showStored(newest.slice(at + 1));
}

function announce(run: OwnedRun): Promise<void> {
  return run.log.store(
    [{ type: 'run_started', conversationId: run.record.conversationId }],
    (events) => run.settings.stores.runs.append(run.fence, events),
  );
}

/** With open calls, or with the answer, the last turn is committed: no text of another one can have been seen. */
function resetOpenTurn(run: OwnedRun): Promise<void> {
  const isBetweenTurns = run.openCalls().length > 0 || run.answer !== null;
  if (isBetweenTurns || run.record.input.kind === 'call') return Promise.resolve();
  run.openText = '';
  return run.log.store(
    [
      {
        type: 'turn_reset',
        turn: run.turns.length + 1,
        reason: 'The run goes on with another owner.',
      },
    ],
    (events) => run.settings.stores.runs.append(run.fence, events),
  );
}
