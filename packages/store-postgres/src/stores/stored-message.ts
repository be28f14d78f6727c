import type { ConversationMessage, Message } from '@steward/core';

/** A message as `message_json` builds it. */
export type StoredMessage = Omit<ConversationMessage, 'turns'> & {
  readonly turns: readonly Message[] | null;
};

/** The message as the ports have it. */
export function readMessage({ turns, ...message }: StoredMessage): ConversationMessage {
  return turns ? { ...message, turns } : message;
}
