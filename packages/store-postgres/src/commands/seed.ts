import { Database } from '../database/database.ts';
import { postgresConversationStore } from '../stores/postgres-conversation-store.ts';
import { postgresToolServerStore } from '../stores/postgres-tool-server-store.ts';
import type { Command } from './command.ts';
import { mustHaveTables } from './must-reach.ts';

const owner = { tenantId: 'default', userId: 'local' };

const messages = [
  { role: 'user', content: 'What can you do?' },
  {
    role: 'assistant',
    content:
      'I answer questions, use tools, and ask before I change anything. Try: What time is it?',
  },
] as const;

/** Writes sample data; a second time it changes nothing. */
export const seed: Command = async ({ driver, schema, print }) => {
  await mustHaveTables(driver, schema);
  const db = new Database(driver, schema);
  const conversations = postgresConversationStore(db);
  for (const [index, message] of messages.entries()) {
    const messageId = `message_sample_${index + 1}`;
    const written = { messageId, runId: 'sample', ...message };
    await conversations.append(owner, 'sample', written);
  }
  const server = { tenantId: owner.tenantId, name: 'sample', version: 0 };
  const config = { url: 'http://127.0.0.1:8001/mcp' };
  await postgresToolServerStore(db).put({ ...server, config, pinned: {} });
  print('The conversation "sample" of user "local" and the tool server "sample" are there.');
  return true;
};
