import { StewardError } from '../errors/steward-error.ts';
import type { Effect } from '../events/run-event.ts';
import type { CallResult } from '../stores/run-store.ts';

/** The result of a call that started and whose effect nobody can tell. */
export const unknownResult: CallResult = {
  outcome: 'unknown',
  code: 'outcome_unknown',
  content:
    'The call was started, but nobody can say whether it took effect. It was not repeated. ' +
    'Tell the user, and do not call it again unless the user asks for it.',
};

/**
 * The result of a call whose tool did not deliver. `cutShort`: it was timed out or cancelled while it worked, so a
 * `write` may have taken effect all the same.
 */
export function resultOfFailure(effect: Effect, reason: unknown, cutShort: boolean): CallResult {
  const error = StewardError.from(reason, 'tool_failed');
  const uncertain = cutShort || error.code === 'outcome_unknown';
  if (uncertain && effect === 'write') return unknownResult;
  return { outcome: 'failed', code: error.code, content: `The tool failed. ${error.detail}` };
}
