import type { ConversationStore } from '../conversation-store.ts';
import type { Owner } from '../run-store.ts';
import { putMessage } from './conversation-rows.ts';
import { belongsTo, type ConversationRow, type InProcessDatabase, ownedKey } from './database.ts';
import { dropRun } from './drop-run.ts';

/** A ConversationStore over the tables of this process. Conversations stay until they are deleted. */
export function inProcessConversationStore(db: InProcessDatabase): ConversationStore {
  return {
    append: async (owner, conversationId, message) =>
      putMessage(db, owner, conversationId, message),
    read: async (owner, conversationId, window) => {
      const messages = conversationsOf(db, owner)?.get(conversationId)?.messages ?? [];
      const { before, limit } = window;
      const end =
        before === undefined
          ? messages.length
          : messages.findIndex((message) => message.messageId === before);
      return end <= 0 ? [] : messages.slice(Math.max(0, end - limit), end);
    },
    list: async (owner, { limit, before }) => {
      const rows = [...(conversationsOf(db, owner)?.values() ?? [])];
      rows.sort((a, b) => b.touched - a.touched);
      const start =
        before === undefined ? 0 : rows.findIndex((row) => row.conversationId === before) + 1;
      if (before !== undefined && start === 0) return [];
      return rows.slice(start, start + limit).map(summary);
    },
    delete: async (owner, conversationId) => deleteConversation(db, owner, conversationId),
  };
}

function conversationsOf(db: InProcessDatabase, owner: Owner) {
  return db.conversations.get(ownedKey(owner));
}

function summary({ conversationId, createdAt, updatedAt, messages }: ConversationRow) {
  return { conversationId, createdAt, updatedAt, messageCount: messages.length };
}

function deleteConversation(db: InProcessDatabase, owner: Owner, conversationId: string) {
  if (db.lanes.has(ownedKey(owner, conversationId))) return 'busy';
  const runs = [...db.runs.values()].filter(
    ({ record }) => record.conversationId === conversationId && belongsTo(record, owner),
  );
  for (const { record } of runs) dropRun(db, record.runId);
  const mine = conversationsOf(db, owner);
  const hadMessages = mine?.delete(conversationId) ?? false;
  if (mine?.size === 0) db.conversations.delete(ownedKey(owner));
  return hadMessages || runs.length > 0 ? 'deleted' : 'not_found';
}
