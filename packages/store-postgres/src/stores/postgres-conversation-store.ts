import type { ConversationStore, Owner } from '@steward/core';
import type { Database } from '../database/database.ts';
import { json } from './sql-values.ts';
import { readMessage, type StoredMessage } from './stored-message.ts';

/** A ConversationStore in the tables of a schema. */
export function postgresConversationStore(db: Database): ConversationStore {
  const about = ({ tenantId, userId }: Owner) => [tenantId, userId] as const;
  return {
    append: (owner, conversationId, { messageId, runId, role, content, turns }) => {
      const values = [messageId, runId, role, json(content), json(turns)];
      return db.run('append_message', [...about(owner), conversationId, ...values], 'repeatable');
    },
    read: async (owner, conversationId, { limit, before }) => {
      const values = [...about(owner), conversationId, limit, before ?? null];
      const stored = await db.call<readonly StoredMessage[]>('read_messages', values, 'repeatable');
      return stored.map(readMessage);
    },
    list: (owner, { limit, before }) =>
      db.call('list_conversations', [...about(owner), limit, before ?? null], 'repeatable'),
    delete: (owner, conversationId) =>
      db.call('delete_conversation', [...about(owner), conversationId], 'repeatable'),
  };
}
