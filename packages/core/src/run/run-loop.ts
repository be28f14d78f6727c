import { StewardError } from '../errors/steward-error.ts';
import { type Ending, endRun, endWith } from './ending.ts';
import { takeModelTurn } from './model-turn.ts';
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
  // An earlier owner may have died between the commit of the answer and the end.
  let ending = answerOf(run);
  while (ending === null || (await endRun(run, ending)) === 'steered') {
    await run.orStop(() => run.settings.connectServers(run.principal));
    if ((await runToolCalls(run)) === 'paused') return;
    ending = run.record.input.kind === 'call' ? callEnding : await takeTurn(run);
  }
}

/** Asks the model once more. How the run ends with that turn; `null` when it goes on. */
async function takeTurn(run: OwnedRun): Promise<Ending | null> {
  const turn = await takeModelTurn(run);
  return turn.kind === 'stopped' ? { kind: 'short', reason: turn.reason } : answerOf(run);
}

function answerOf({ answer }: OwnedRun): Ending | null {
  return answer && { kind: 'answer', turn: answer };
}
