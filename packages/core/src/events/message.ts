import type { Json } from '../internal/json.ts';

/** A part of a user's message. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** `url` may be a `data:` URL. */
  | { readonly type: 'image'; readonly url: string; readonly detail?: 'auto' | 'low' | 'high' }
  /** `data` is a `data:` URL; or `fileId` names a file the provider holds. */
  | {
      readonly type: 'file';
      readonly filename?: string;
      readonly data?: string;
      readonly fileId?: string;
    };

/** A tool call as the model asked for it. */
export interface MessageToolCall {
  /** The provider's id of the call; only meaningful to the provider. */
  readonly id: string;
  /** The name as the model knows the tool. */
  readonly name: string;
  /** The arguments as the model wrote them. */
  readonly argumentsText: string;
  /** True for a custom (free text) tool. */
  readonly custom?: boolean;
}

/** What was said by the user. */
export interface UserMessage {
  readonly role: 'user';
  readonly content: string | readonly ContentPart[];
}

/** What was said by the model in one turn. */
export interface AssistantMessage {
  readonly role: 'assistant';
  readonly content: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly MessageToolCall[];
  /** What the provider said, item by item, to be sent back to the same API unchanged. */
  readonly verbatim?: { readonly api: string; readonly items: readonly Json[] };
}

/** The answer of a tool to a call of the model. */
export interface ToolMessage {
  readonly role: 'tool';
  /** The provider's id of the call that this answers. */
  readonly toolCallId: string;
  readonly name: string;
  readonly content: string;
  /** True for a custom (free text) tool. */
  readonly custom?: boolean;
}

/** What the host says to the model in between. */
export interface SystemMessage {
  readonly role: 'system';
  readonly content: string;
}

/** A message as a model client takes it. */
export type Message = UserMessage | AssistantMessage | ToolMessage | SystemMessage;
