import { isTerminal, type TerminalEvent } from '../../events/run-event.ts';
import { askedMs } from '../../run/asked-time.ts';
import type { RunEnd } from '../../stores/run-store.ts';
import type { Finding, RunEvidence } from './evidence.ts';

/** I1: the run came to its end, in time. */
export function* endsInTime(
  { run, audit }: RunEvidence,
  graceMs: number,
): Generator<Finding, void, void> {
  if (run.end === null) {
    yield { invariant: 'I1', found: `the run has not ended: it is ${run.status}` };
    return;
  }
  const ended = audit.findLast(({ action }) => action === 'run.ended');
  const endedAt = ended?.at ?? 0;
  const late = endedAt - run.deadlineAt - askedMs(run.inputs, endedAt, Infinity);
  if (late > graceMs) {
    yield { invariant: 'I1', found: `the run ended ${late} ms after its deadline` };
  }
}

/** I2: exactly one terminal event, the last one, which says what the run says. */
export function* endsOnce({ run, events }: RunEvidence): Generator<Finding, void, void> {
  const ends = events.map(({ event }) => event).filter(isTerminal);
  const last = events.at(-1)?.event;
  if (ends.length > 1) yield { invariant: 'I2', found: `${ends.length} terminal events` };
  if (run.end === null) {
    if (ends.length > 0) yield { invariant: 'I2', found: 'a terminal event of a run that goes on' };
    return;
  }
  if (last === undefined || !isTerminal(last)) {
    yield { invariant: 'I2', found: 'the last event of the ended run is not a terminal one' };
  } else if (!says(last, run.end)) {
    yield {
      invariant: 'I2',
      found: `the terminal event is ${last.type}, the run ${run.end.status}, or their texts differ`,
    };
  }
}

function says(event: TerminalEvent, end: RunEnd): boolean {
  switch (event.type) {
    case 'complete':
      return event.finishReason === end.finishReason && event.text === end.text;
    case 'error':
      return event.code === end.error?.code && event.partialText === end.text;
    case 'cancelled':
      return end.status === 'cancelled' && event.partialText === end.text;
  }
}

/** I4: the log has no gap and no event twice, and tells each start and end of a call. */
export function* hasWholeLog({ run, events }: RunEvidence): Generator<Finding, void, void> {
  const numbers = events.map(({ n }) => n);
  const gap = numbers.findIndex((n, index) => n !== index + 1);
  if (gap >= 0) yield { invariant: 'I4', found: `event ${gap + 1} is numbered ${numbers[gap]}` };
  if (numbers.length !== run.eventCount) {
    const found = `${numbers.length} events, where the run counts ${run.eventCount}`;
    yield { invariant: 'I4', found };
  }
  for (const { callId, starts, result } of run.calls) {
    const told = (type: 'tool_started' | 'tool_result') =>
      events.filter(({ event }) => event.type === type && event.callId === callId).length;
    const [started, ended] = [told('tool_started'), told('tool_result')];
    if (started !== starts || ended !== (result ? 1 : 0)) {
      const found = `the log tells ${started} starts and ${ended} ends of a call`;
      yield { invariant: 'I4', callId, found };
    }
  }
}

/** I4: nobody wrote after his successor. */
export function* hasOneOwnerAtATime({ run, events }: RunEvidence): Generator<Finding, void, void> {
  const epochs = events.map(({ event }) => Number(event.cursor.split('-', 1)[0]));
  const stale = epochs.findIndex((epoch, index) => epoch < (epochs[index - 1] ?? 0));
  if (stale >= 0) {
    yield { invariant: 'I4', found: `event ${stale + 1} is of an owner that was replaced before` };
  }
  if ((epochs.at(-1) ?? 0) > run.epoch) {
    yield { invariant: 'I4', found: 'an event is of an owner that the run never had' };
  }
  const cursors = new Set(events.map(({ event }) => event.cursor));
  if (cursors.size < events.length) yield { invariant: 'I4', found: 'two events share a cursor' };
}

/** I6: the message of the user is there once. */
export function* asksOnce({ run, messages }: RunEvidence): Generator<Finding, void, void> {
  const questions = messages.filter(({ role }) => role === 'user').length;
  const asked = run.input.kind === 'message' ? 1 : 0;
  // What was cancelled before its turn came is not part of the conversation.
  const least = run.status === 'cancelled' || run.status === 'queued' ? 0 : asked;
  if (questions > asked || questions < least) {
    yield { invariant: 'I6', found: `the user's message is there ${questions} times` };
  }
}

/** I6: the answer is there once, and is the text with which the run ended. */
export function* answersOnce({ run, messages }: RunEvidence): Generator<Finding, void, void> {
  const answers = messages.filter(({ role }) => role === 'assistant');
  const text = run.end?.text ?? '';
  const isOwed = run.end?.status === 'succeeded' && text !== '';
  if (answers.length > 1 || (isOwed && answers.length === 0)) {
    yield { invariant: 'I6', found: `the answer is there ${answers.length} times` };
  }
  if (answers.some(({ content }) => content !== text)) {
    yield { invariant: 'I6', found: 'the answer is not the text with which the run ended' };
  }
}
