import { StewardError } from '../errors/steward-error.ts';
import { type Ending, endRun, endWith } from './ending.ts';
import { type TurnOutcome, takeModelTurn } from './model-turn.ts';
import type { OwnedRun } from './owned-run.ts';
import { prepareOwnership } from './recovery.ts';
import { inRunSpan } from './spans.ts';
import { runToolCalls } from './tool-calls.ts';

/**
 * The whole run in one place: finish the calls that are open, ask the model, repeat; until it has nothing left to call,
 * a person must decide, or a limit is reached. First start, resumption after a pause and take-over are this same path.
 * Ends the run with exactly one terminal event, or leaves it to its next owner (paused, fenced, released).
 */
export function runLoop(run: OwnedRun): Promise<void> {
  return inRunSpan(run, () =>
    takeTurns(run).catch((reason: unknown) =>
      endWith(run, StewardError.from(reason, 'internal')).catch(unlessFenced),
    ),
  );
}

/** Somebody else owns the run and will end it. */
function unlessFenced(reason: unknown): void {
  if (!(reason instanceof StewardError) || reason.code !== 'fenced') throw reason;
}

const callEnding: Ending = { kind: 'call' };

async function takeTurns(run: OwnedRun): Promise<void> {
  await prepareOwnership(run);
  for (;;) {
    await run.orStop(() => run.settings.connectServers(run.principal));
    if ((await runToolCalls(run)) === 'paused') return;
    const isCall = run.record.input.kind === 'call';
    const ending = isCall ? callEnding : endingAfter(run, await takeModelTurn(run));
    if (ending !== null && (await endRun(run, ending)) === 'ended') return;
  }
}

/** How the run ends with that turn; `null` when it goes on. */
function endingAfter(run: OwnedRun, turn: TurnOutcome): Ending | null {
  if (turn.kind === 'stopped') return { kind: 'short', reason: turn.reason };
  const goesOn = turn.calls > 0 || run.steersWaiting;
  return goesOn ? null : { kind: 'answer', turn: turn.turn };
}
