import { StewardError } from '../errors/steward-error.ts';
import type { OwnedRun } from './owned-run.ts';
import { planHostCall } from './plan-calls.ts';

/** Owners that a run may lose without any progress before it is given up. */
const maxTakeovers = 5;

/**
 * What a new owner does before it goes on from what is committed: the first one announces the run, a later one tells
 * readers to drop text that nobody committed.
 */
export async function prepareOwnership(run: OwnedRun): Promise<void> {
  const { record, settings } = run;
  const { stores, limits } = settings;
  if (run.takeovers > maxTakeovers) {
    throw new StewardError(
      'crash_loop',
      `The run lost ${run.takeovers} owners without progress; look for a tool that stops its process.`,
    );
  }
  if (record.eventCount === 0) await announce(run);
  run.signal.throwIfAborted();
  if (record.eventCount > 0) await resetOpenTurn(run);
  const owner = { tenantId: record.tenantId, userId: record.userId };
  const messages = await stores.conversations.read(owner, record.conversationId, {
    limit: limits.historyMessages,
  });
  run.history = messages.filter((message) => message.runId !== record.runId);
  if (record.input.kind === 'call' && run.turns.length === 0) await planHostCall(run);
}

function announce(run: OwnedRun): Promise<void> {
  return run.log.store(
    [{ type: 'run_started', conversationId: run.record.conversationId }],
    (events) => run.settings.stores.runs.append(run.fence, events),
  );
}

/** With open calls the last turn is committed: no text of another one can have been seen. */
function resetOpenTurn(run: OwnedRun): Promise<void> {
  if (run.openCalls().length > 0 || run.record.input.kind === 'call') return Promise.resolve();
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
