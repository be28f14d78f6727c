import { isTerminal, type RunEvent, type Usage } from '../events/run-event.ts';
import type { RunEnd, RunRecord } from '../stores/run-store.ts';
import type { Stores } from '../stores/stores.ts';
import type { EventBody } from './run-log.ts';

/** What the end of a run is told with. */
export function terminalEvent(end: RunEnd, usage: Usage): EventBody {
  if (end.error) return { type: 'error', ...end.error, partialText: end.text };
  if (end.finishReason === null) return { type: 'cancelled', partialText: end.text };
  const { finishReason, text, refusal, output } = end;
  return {
    type: 'complete',
    finishReason,
    text,
    ...(refusal !== undefined && { refusal }),
    ...(output !== undefined && { output }),
    usage,
  };
}

/** The event that ended a run, as it is stored; made again where the store keeps no more than how the run ended. */
export async function storedTerminalEvent(
  run: RunRecord,
  end: RunEnd,
  { runs }: Stores,
): Promise<RunEvent> {
  const { runId, eventCount, lastCursor, createdAt, epoch } = run;
  const [last] = await runs.events(runId, eventCount - 1, 1);
  if (last && isTerminal(last.event)) return last.event;
  const place = { runId, at: createdAt, cursor: lastCursor ?? `${epoch}-end` };
  return { ...terminalEvent(end, run.usage), ...place } as RunEvent;
}
