import { StewardError } from '../errors/steward-error.ts';
import type { CreateOutcome, RunRecord } from '../stores/run-store.ts';

/** A run that was refused: why, by the kind of the store's answer. */
const refusals = {
  request_conflict: 'This requestId was used before with another body; use a new one.',
  conversation_busy:
    'Another run of this conversation is not finished; wait for it, or set onBusy.',
  queue_full: 'Too many runs wait for this conversation; try again later.',
} as const;

/** What a run that was refused is rejected with. */
export function refusal(outcome: Exclude<CreateOutcome, { run: RunRecord }>): StewardError {
  return new StewardError(outcome.kind, refusals[outcome.kind], {
    field: outcome.kind === 'request_conflict' ? 'requestId' : 'conversationId',
  });
}
