import { isBackgroundModel } from '../model/background-model.ts';
import type { OwnedRun } from './owned-run.ts';

/** Ends what the provider is still making for this run, because nobody wants it any more. */
export async function dropResponse(run: OwnedRun): Promise<void> {
  const { openResponse, settings } = run;
  run.openResponse = null;
  if (openResponse === null || !isBackgroundModel(settings.model)) return;
  await settings.model.cancel(openResponse);
}

/** Whether somebody will go on with that answer, and then knows what it cost. */
export function isLeftOpen({ openResponse, stopCause }: OwnedRun): boolean {
  return openResponse !== null && stopCause !== 'cancelled' && stopCause !== 'deadline';
}
