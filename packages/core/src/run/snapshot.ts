import type { ConversationMessage } from '../events/conversation-message.ts';
import type {
  PendingConfirmation,
  PendingInput,
  RunEvent,
  SnapshotEvent,
} from '../events/run-event.ts';
import type { CallRecord, PartialText, RunRecord } from '../stores/run-store.ts';
import type { Stores } from '../stores/stores.ts';
import { isEnded } from './run-state.ts';

/** The calls of a run that a person has yet to decide. */
export function pendingConfirmations(run: RunRecord): PendingConfirmation[] {
  return run.calls.flatMap(({ callId, tool, args, effect, argsDigest, confirmation }) =>
    confirmation?.status === 'pending'
      ? [{ callId, tool, args, effect, argsDigest, expiresAt: confirmation.expiresAt }]
      : [],
  );
}

/** The questions of a run that a person has yet to answer. */
export function pendingInputs(run: RunRecord): PendingInput[] {
  if (isEnded(run.status)) return [];
  const atWork = new Set(run.calls.filter(({ result }) => !result).map(({ callId }) => callId));
  return run.inputs
    .filter((input) => input.answeredAt === null && atWork.has(input.callId))
    .map(({ askedAt: _at, answer: _answer, answeredAt: _answeredAt, ...input }) => input);
}

/** What a reader is shown beside the stored state. */
export interface Followed {
  /** What the open turn has said, where the log goes on behind it. */
  readonly open: PartialText | null;
  /** Whether a log goes on from the place of the snapshot. */
  readonly isFollowed: boolean;
}

/**
 * The whole state of a run as one event, at the place of its newest durable event, or behind the open text that it
 * tells. That of an ended run has no place: its end is still to come, and who goes on from here must not miss it.
 */
export async function snapshotOf(
  run: RunRecord,
  stores: Stores,
  followed: Followed,
): Promise<SnapshotEvent> {
  const { open } = followed;
  return {
    type: 'snapshot',
    runId: run.runId,
    at: run.createdAt,
    cursor:
      (isEnded(run.status) ? null : (open?.cursor ?? run.lastCursor)) ?? `${run.epoch}-snapshot`,
    status: run.status,
    conversationId: run.conversationId,
    messages: await messagesOf(run, stores),
    ...(await textOf(run, stores, followed)),
    confirmations: pendingConfirmations(run),
    inputs: pendingInputs(run),
  };
}

/**
 * What is being said; what the last turn said, while no other has begun and it is not among the messages. Unless a log goes
 * on that tells it: a turn of which no event was stored is behind the newest one.
 */
async function textOf(run: RunRecord, stores: Stores, { open, isFollowed }: Followed) {
  const last = run.turns.at(-1);
  if (open || !last || isEnded(run.status)) {
    return { turn: run.turns.length + 1, openText: open?.text ?? '' };
  }
  const isToFollow = isFollowed && (await turnsTold(run, stores)) < last.turn;
  return { turn: last.turn, openText: isToFollow ? '' : last.message.content };
}

/** How many turns had been committed when the newest event was stored. */
async function turnsTold({ runId, eventCount, calls }: RunRecord, { runs }: Stores) {
  const [newest] = await runs.events(runId, eventCount - 1, 1);
  return newest ? turnsBefore(newest.event, calls) : 0;
}

function turnsBefore(event: RunEvent, calls: readonly CallRecord[]): number {
  // Stored with the commit of their turn, and at the beginning of it.
  if (event.type === 'usage' || event.type === 'tool_request') return event.turn;
  if (event.type === 'turn_reset' || event.type === 'steered') return event.turn - 1;
  if (!('callId' in event)) return 0;
  return calls.find(({ callId }) => callId === event.callId)?.turn ?? 0;
}

async function messagesOf(
  run: RunRecord,
  { conversations }: Stores,
): Promise<readonly ConversationMessage[]> {
  // The messages of this run are its conversation's newest, unless later runs followed.
  const recent = await conversations.read(run, run.conversationId, { limit: 100 });
  // The answer of a run that has ended since it was loaded is still to come, piece by piece.
  const isPart = (role: string) => isEnded(run.status) || role === 'user';
  return recent.filter(({ runId, role }) => runId === run.runId && isPart(role));
}
