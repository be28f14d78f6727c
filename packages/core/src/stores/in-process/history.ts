import type { ConversationMessage } from '../../events/conversation-message.ts';
import type { HistoryWindow } from '../run-store.ts';
import { type InProcessDatabase, ownedKey, type RunRow } from './database.ts';

/** What the conversation holds but for the run's own messages: the newest that fit into the window, oldest first. */
export function historyOf(
  db: InProcessDatabase,
  { record }: RunRow,
  { messages, bytes }: HistoryWindow,
): readonly ConversationMessage[] {
  const mine = db.conversations.get(ownedKey(record));
  const all = mine?.get(record.conversationId)?.messages ?? [];
  const history: ConversationMessage[] = [];
  let size = 0;
  for (let at = all.length - 1; at >= 0 && history.length < messages; at--) {
    const message = all[at];
    if (message === undefined || message.runId === record.runId) continue;
    size += sizeOf(message);
    if (size > bytes) break;
    history.push(message);
  }
  return history.reverse();
}

/** Sizes of messages, measured when first asked for: many conversations have one run. */
const sizes = new WeakMap<ConversationMessage, number>();

function sizeOf(message: ConversationMessage): number {
  const known = sizes.get(message);
  if (known !== undefined) return known;
  const { content, turns } = message;
  const size =
    Buffer.byteLength(JSON.stringify(content)) +
    (turns === undefined ? 0 : Buffer.byteLength(JSON.stringify(turns)));
  sizes.set(message, size);
  return size;
}
