import { isTerminal, type RunEvent } from '../../events/run-event.ts';
import type { Owner, StoredEvent } from '../../stores/run-store.ts';
import type { BrokenPromise, Reading, RunEvidence } from './evidence.ts';

/** I5 and I8: who reads a run has read what the store has, once, and nobody has read a run of somebody else. */
export function* areReadRight(
  readings: readonly Reading[],
  runs: ReadonlyMap<string, RunEvidence>,
): Generator<BrokenPromise, void, void> {
  for (const reading of readings) {
    const { runId, reader, events } = reading;
    const evidence = runs.get(runId);
    const isOwner = evidence !== undefined && owns(reader, evidence.run);
    const foreign = events.find((event) => event.runId !== runId || !(isOwner || denies(event)));
    if (foreign) {
      const who = `${reader.tenantId}/${reader.userId}`;
      yield { invariant: 'I8', runId, found: `${who} was shown ${foreign.type} of another's run` };
    }
    if (!isOwner) continue;
    for (const found of wrongReading(reading, evidence)) yield { invariant: 'I5', runId, found };
  }
}

function owns(reader: Owner, run: Owner): boolean {
  return run.userId === reader.userId && run.tenantId === reader.tenantId;
}

/** All that a stranger may be told. */
function denies(event: RunEvent): boolean {
  return event.type === 'error' && event.code === 'not_found';
}

function* wrongReading(
  { events }: Reading,
  { run, events: stored }: RunEvidence,
): Generator<string, void, void> {
  const end = events.at(-1);
  if (end === undefined || !isTerminal(end)) {
    yield 'a client was never told of the end';
    return;
  }
  if (end.cursor !== run.lastCursor) yield 'a client was told of another end';
  yield* wrongEvents(events, stored);
  // A run that ended early may have said more than a client was shown before; its last event tells.
  const isAnswered = run.end?.finishReason === 'stop' && run.input.kind === 'message';
  if (isAnswered && textRead(events) !== run.end.text) {
    yield `a client has read ${JSON.stringify(textRead(events))} of ${told(events)}`.slice(
      0,
      2_000,
    );
  }
}

/** Whether the state was the last that was shown before the end. */
function wasSnapshot(events: readonly RunEvent[]): boolean {
  return (
    events.findLast(({ type }) => type === 'snapshot' || type === 'token')?.type === 'snapshot'
  );
}

function told(events: readonly RunEvent[]): string {
  return events.map(toldOf).join(' ');
}

function toldOf(event: RunEvent): string {
  const place = `${event.type}@${event.cursor}`;
  if (event.type === 'token') return `${place}(${event.turn})`;
  return event.type === 'snapshot' ? `${place}(${event.turn}: ${event.openText})` : place;
}

function* wrongEvents(
  events: readonly RunEvent[],
  stored: readonly StoredEvent[],
): Generator<string, void, void> {
  const shown = events.filter(({ type }) => type !== 'snapshot').map(({ cursor }) => cursor);
  const cursors = new Set(shown);
  if (cursors.size < shown.length) yield 'a client was shown an event twice';
  // A snapshot stands for what came before it.
  if (shown.length < events.length) return;
  const missed = stored.find(({ event }) => !cursors.has(event.cursor));
  if (missed) yield `a client missed ${missed.event.type} (event ${missed.n})`;
}

/** What a person has read of an answer who was shown these events: the text of the turn that is open, or of the last. */
export function textRead(events: readonly RunEvent[]): string {
  const text = textShown(events);
  const end = events.at(-1);
  // An answer that was committed before the state was shown is told by the end alone.
  return text === '' && end?.type === 'complete' && wasSnapshot(events) ? end.text : text;
}

function textShown(events: readonly RunEvent[]): string {
  let turn = 0;
  let text = '';
  for (const event of events) {
    if (event.type === 'token') {
      if (event.turn !== turn) text = '';
      turn = event.turn;
      text += event.text;
    } else if (event.type === 'turn_reset') {
      turn = event.turn;
      text = '';
    } else if (event.type === 'snapshot') {
      turn = event.turn;
      const answer = event.messages.find(({ role }) => role === 'assistant');
      text = typeof answer?.content === 'string' ? answer.content : event.openText;
    }
  }
  return text;
}
