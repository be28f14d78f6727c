import type { InputRecord } from '../stores/run-store.ts';

/**
 * How long a run has waited for answers, at `now` of the store: a question counts until its answer, and no longer than a
 * person may take; questions side by side count once. They are in the order in which they were asked.
 */
export function askedMs(
  questions: readonly Pick<InputRecord, 'askedAt' | 'answeredAt'>[],
  now: number,
  atMostMs: number,
): number {
  let waited = 0;
  let counted = 0;
  for (const { askedAt, answeredAt } of questions) {
    const end = Math.min(answeredAt ?? now, askedAt + atMostMs);
    waited += Math.max(0, end - Math.max(askedAt, counted));
    counted = Math.max(counted, end);
  }
  return waited;
}
