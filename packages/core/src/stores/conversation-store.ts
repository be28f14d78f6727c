import type { ConversationMessage } from '../events/conversation-message.ts';
import type { Owner } from './run-store.ts';

/** A conversation in a list. */
export interface ConversationSummary {
  readonly conversationId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly messageCount: number;
}

/** Messages by conversation. Runs write theirs through the RunStore; this is for reading and for what belongs to no run. */
export interface ConversationStore {
  /** Appends a message that belongs to no run of Steward (imported history); the same `messageId` again changes nothing. */
  append(
    owner: Owner,
    conversationId: string,
    message: Omit<ConversationMessage, 'at'>,
  ): Promise<void>;
  /** The newest `limit` messages older than the message `before`, oldest first. Empty for what does not exist. */
  read(
    owner: Owner,
    conversationId: string,
    window: { readonly limit: number; readonly before?: string },
  ): Promise<readonly ConversationMessage[]>;
  /** The owner's conversations, the last one written to first; `before` is the `conversationId` after which the page begins. */
  list(
    owner: Owner,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly ConversationSummary[]>;
  /** Deletes a conversation with its messages and ended runs. `busy` while a run of it is not ended. Twice is no error. */
  delete(owner: Owner, conversationId: string): Promise<'deleted' | 'not_found' | 'busy'>;
}
