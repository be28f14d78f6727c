import type { ConversationMessage } from '../../events/conversation-message.ts';
import { derivedId } from '../../internal/ids.ts';
import type { Owner } from '../run-store.ts';
import { type ConversationRow, type InProcessDatabase, ownedKey, type RunRow } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

/** Adds a message of a run to its conversation. */
export function addMessage(
  db: InProcessDatabase,
  row: RunRow,
  role: 'user' | 'assistant',
  message: Pick<ConversationMessage, 'content' | 'turns'>,
): void {
  const { runId, conversationId } = row.record;
  const messageId = derivedId('message', runId, role);
  putMessage(db, row.record, conversationId, { ...message, messageId, runId, role });
}

/** Adds what the user said, once the run is the first of its conversation. */
export function addQuestion(db: InProcessDatabase, row: RunRow): void {
  const { input } = row.record;
  if (input.kind === 'message') addMessage(db, row, 'user', { content: input.content });
}

/** Adds a message to a conversation, creating it; nothing when the message is there. */
export function putMessage(
  db: InProcessDatabase,
  owner: Owner,
  conversationId: string,
  message: Omit<ConversationMessage, 'at'>,
): void {
  const at = db.clock.now();
  const row = findOrCreate(db, owner, conversationId, at);
  if (row.messageIds.has(message.messageId)) return;
  row.messageIds.add(message.messageId);
  row.messages.push(frozenCopy({ ...message, at }));
  row.updatedAt = at;
  db.touches += 1;
  row.touched = db.touches;
}

function findOrCreate(
  db: InProcessDatabase,
  owner: Owner,
  conversationId: string,
  now: number,
): ConversationRow {
  const key = ownedKey(owner);
  let mine = db.conversations.get(key);
  if (mine === undefined) {
    mine = new Map();
    db.conversations.set(key, mine);
  }
  let row = mine.get(conversationId);
  if (row === undefined) {
    row = {
      conversationId,
      createdAt: now,
      updatedAt: now,
      touched: 0,
      messages: [],
      messageIds: new Set(),
    };
    mine.set(conversationId, row);
  }
  return row;
}
