import { headOf } from '../artifacts/text-cut.ts';
import { StewardError } from '../errors/steward-error.ts';
import type { Effect } from '../events/run-event.ts';
import { cleanText } from '../internal/storable.ts';
import type { CallResult } from '../stores/run-store.ts';

/** UTF-8 bytes of a failure that the model reads: tools put whole pages into what they throw. */
const maxFailureBytes = 4_096;

/** The result of a call that started and whose effect nobody can tell. */
export const unknownResult: CallResult = {
  outcome: 'unknown',
  code: 'outcome_unknown',
  content:
    'The call was started, but nobody can say whether it took effect. It is not repeated. ' +
    'Tell the user, and do not call it again unless the user asks for it.',
};

/**
 * The result of a call whose tool did not deliver. `cutShort`: it was timed out or cancelled while it worked, so that a
 * change may have been made all the same. A lost answer is only final for a `write`; see {@link isLost}.
 */
export function resultOfFailure(effect: Effect, reason: unknown, cutShort: boolean): CallResult {
  const error = StewardError.from(reason, 'tool_failed');
  const isFinal = effect === 'write' && error.code === 'outcome_unknown';
  if (isFinal || (cutShort && effect !== 'read')) return unknownResult;
  const content = headOf(cleanText(`The tool failed. ${error.detail}`), maxFailureBytes);
  return { outcome: 'failed', code: error.code, content };
}

/** Whether the answer to a call was lost that may be made again under the same key. */
export function isLost({ outcome, code }: CallResult): boolean {
  return outcome === 'failed' && code === 'outcome_unknown';
}

/** The result of a call that worked, but whose words could not be masked. */
export const withheldResult: CallResult = {
  outcome: 'failed',
  code: 'tool_failed',
  content:
    'The tool ran and may have taken effect, but its result was withheld: masking it failed.',
};
