import type { ContentPart, Message } from './message.ts';

/**
 * A message as a person sees it and the store keeps it: one of the user and one of the assistant per run.
 * How the assistant came to its answer (its turns and tool results) is inside the answer's `turns`.
 */
export interface ConversationMessage {
  readonly messageId: string;
  readonly runId: string;
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly ContentPart[];
  /** Unix milliseconds by the store's clock. */
  readonly at: number;
  /** The model's turns and the tools' answers that led to this one, as a model takes them. */
  readonly turns?: readonly Message[];
}
