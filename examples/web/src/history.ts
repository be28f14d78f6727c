import type { Assistant, CallRecord, ContentPart, RunRecord } from '@steward/core';
import {
  completedAs,
  endedState,
  newToolPart,
  openView,
  type Part,
  type RunView,
  type ToolPart,
  textKey,
} from '../public/run-view.js';

/** A line in the list of conversations. */
export interface ConversationTitle {
  readonly conversationId: string;
  readonly title: string;
}

const listedConversations = 30;
const shownMessages = 200;
const titleLength = 60;

const ownerOf = (userId: string) => ({ tenantId: 'default', userId });

/** The user's conversations, the newest first, each called after its first message. */
export async function listConversations(
  assistant: Assistant,
  userId: string,
): Promise<readonly ConversationTitle[]> {
  const { conversations } = assistant.stores;
  const owner = ownerOf(userId);
  const summaries = await conversations.list(owner, { limit: listedConversations });
  return Promise.all(
    summaries.map(async ({ conversationId }) => {
      const messages = await conversations.read(owner, conversationId, { limit: shownMessages });
      const first = messages.find((message) => message.role === 'user');
      return { conversationId, title: titleOf(first ? textOf(first.content) : '') };
    }),
  );
}

function titleOf(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > titleLength ? `${line.slice(0, titleLength - 1)}…` : line || 'Untitled';
}

/** The runs of a conversation as the page shows them. An open one is empty: its events are replayed to the page. */
export async function readConversation(
  assistant: Assistant,
  userId: string,
  conversationId: string,
): Promise<readonly RunView[]> {
  const owner = ownerOf(userId);
  const window = { limit: shownMessages };
  const messages = await assistant.stores.conversations.read(owner, conversationId, window);
  const runIds = [...new Set(messages.map((message) => message.runId))];
  const runs = await Promise.all(runIds.map((runId) => assistant.stores.runs.load(runId, owner)));
  return runs.filter((run) => run !== null).map(viewOf);
}

function viewOf(run: RunRecord): RunView {
  const question = run.input.kind === 'message' ? textOf(run.input.content) : run.input.tool;
  const view = openView(run.runId, question);
  if (run.end === null) return view;
  const { finishReason, error, refusal } = run.end;
  const parts = run.turns.flatMap((turn): Part[] => [
    ...textPartOf(turn.turn, turn.message.content),
    ...run.calls.filter((call) => call.turn === turn.turn).map(toolPartOf),
  ]);
  // What was cut off in the middle of a turn is in no committed turn.
  const last = run.turns.at(-1)?.message.content ?? '';
  if (run.end.text !== last) parts.push(...textPartOf(run.turns.length + 1, run.end.text));
  if (error) return { ...view, parts, state: 'error', notice: error.message };
  if (run.status === 'cancelled') {
    return { ...view, parts, state: 'cancelled', notice: 'Stopped.' };
  }
  const completed = completedAs(finishReason ?? 'stop');
  return { ...view, parts, ...completed, notice: refusal ?? completed.notice };
}

const textPartOf = (turn: number, text: string): Part[] =>
  text === '' ? [] : [{ kind: 'text', key: textKey(turn), text }];

function toolPartOf(call: CallRecord): ToolPart {
  const { callId, tool, args, effect, argsDigest, status, result } = call;
  return {
    ...newToolPart({ callId, tool, args, effect, argsDigest }, 'planned'),
    state: endedState(status),
    approved: ['approved', 'consumed'].includes(call.confirmation?.status ?? 'pending'),
    note: noteOf(call),
    ...(result && { result: result.content, artifact: result.artifact ?? null }),
  };
}

function noteOf({ status, result, confirmation }: CallRecord): string | null {
  if (confirmation?.status === 'expired') return 'Nobody decided in time.';
  return status === 'declined' ? null : (result?.code ?? null);
}

function textOf(content: string | readonly ContentPart[]): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
}
