import type { ErrorCode } from '../errors/error-codes.ts';
import type { Json, JsonObject } from '../internal/json.ts';
import type { ConversationMessage } from './conversation-message.ts';

/** What a call may do to the world. Set by the host; anything unknown is a `write`. */
export type Effect = 'read' | 'write_idempotent' | 'write';

/** How a tool call ended. `unknown`: it started and nobody can say whether it took effect. */
export type ToolOutcome = 'succeeded' | 'failed' | 'declined' | 'unknown';

/** Why a run was completed. */
export type CompleteReason =
  | 'stop'
  | 'length'
  | 'content_filter'
  | 'stalled'
  | 'budget'
  | 'deadline'
  | 'max_turns';

/** The state of a run as the store knows it. */
export type RunStatus =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'cancelling'
  | 'succeeded'
  | 'partial'
  | 'failed'
  | 'cancelled';

/** Tokens used, as the provider counted them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Of the input tokens, those served from the provider's prompt cache. */
  readonly cachedTokens: number;
  /** Of the output tokens, those spent on reasoning. */
  readonly reasoningTokens: number;
}

/** Where the whole of a large result is kept. */
export interface ArtifactReference {
  readonly artifactId: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** A tool call that waits for a person. */
export interface PendingConfirmation {
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
  readonly effect: Effect;
  /** What `confirm` must echo: proof that the decider saw these arguments. */
  readonly argsDigest: string;
  /** Unix milliseconds; not decided by then counts as not approved. */
  readonly expiresAt: number;
}

/** A question of an MCP server (elicitation) that waits for a person. */
export interface PendingInput {
  readonly requestId: string;
  readonly callId: string;
  readonly server: string;
  readonly message: string;
  /** JSON Schema of the answer, for a form. */
  readonly schema?: JsonObject;
  /** Where the person has to go, for a URL request. */
  readonly url?: string;
}

/** What every event has. */
interface EventBase {
  readonly runId: string;
  /** Unix milliseconds at the owner of the run. */
  readonly at: number;
  /** Opaque position in the run's log; what `after` takes. */
  readonly cursor: string;
}

/** The run was accepted and its owner began. */
export interface RunStartedEvent extends EventBase {
  readonly type: 'run_started';
  readonly conversationId: string;
}
/** A piece of the answer. */
export interface TokenEvent extends EventBase {
  readonly type: 'token';
  readonly turn: number;
  readonly text: string;
}
/** A piece of what the provider shows of the model's reasoning. */
export interface ReasoningEvent extends EventBase {
  readonly type: 'reasoning';
  readonly turn: number;
  readonly text: string;
}
/** The model asks for a tool. */
export interface ToolRequestEvent extends EventBase {
  readonly type: 'tool_request';
  readonly turn: number;
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
  readonly effect: Effect;
  readonly requiresConfirmation: boolean;
  readonly argsDigest: string;
  /** Unix milliseconds until which a person may decide; only with `requiresConfirmation`. */
  readonly expiresAt?: number;
}
/** A person decided, or nobody did in time. */
export interface ConfirmationEvent extends EventBase {
  readonly type: 'confirmation';
  readonly callId: string;
  readonly decision: 'approved' | 'declined' | 'expired';
  /** The user id of the decider; absent when it expired. */
  readonly by?: string;
}
/** A server asks the person for input. */
export interface InputRequestedEvent extends EventBase, PendingInput {
  readonly type: 'input_requested';
}
/** A `steer` was given to the model. */
export interface SteeredEvent extends EventBase {
  readonly type: 'steered';
  readonly turn: number;
  readonly text: string;
}
/** The tool was started; `attempt` counts from 1. */
export interface ToolStartedEvent extends EventBase {
  readonly type: 'tool_started';
  readonly callId: string;
  readonly tool: string;
  readonly attempt: number;
}
/** The tool reports progress. */
export interface ToolProgressEvent extends EventBase {
  readonly type: 'tool_progress';
  readonly callId: string;
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}
/** The call ended; `content` is what the model reads. */
export interface ToolResultEvent extends EventBase {
  readonly type: 'tool_result';
  readonly callId: string;
  readonly tool: string;
  readonly outcome: ToolOutcome;
  readonly content: string;
  /** Why it did not succeed. */
  readonly code?: ErrorCode;
  readonly artifact?: ArtifactReference;
}
/** Tokens of one model turn. */
export interface UsageEvent extends EventBase {
  readonly type: 'usage';
  readonly turn: number;
  readonly usage: Usage;
}
/** Drop the partial text of this turn: it is generated again. */
export interface TurnResetEvent extends EventBase {
  readonly type: 'turn_reset';
  readonly turn: number;
  readonly reason: string;
}
/** The whole state, for a reader whose cursor cannot be served. */
export interface SnapshotEvent extends EventBase {
  readonly type: 'snapshot';
  readonly status: RunStatus;
  readonly conversationId: string;
  /** The messages of this run so far: the user's, and the assistant's once there is one. */
  readonly messages: readonly ConversationMessage[];
  /** The turn that is open; the one before, until that has said something. */
  readonly turn: number;
  /** What that turn has said. Empty when `messages` have it. */
  readonly openText: string;
  readonly confirmations: readonly PendingConfirmation[];
  readonly inputs: readonly PendingInput[];
}
/** Something the host should know; the run goes on. */
export interface WarningEvent extends EventBase {
  readonly type: 'warning';
  readonly code: ErrorCode;
  readonly message: string;
}
/** The run ended with an answer. */
export interface CompleteEvent extends EventBase {
  readonly type: 'complete';
  readonly finishReason: CompleteReason;
  readonly text: string;
  readonly refusal?: string;
  /** The parsed answer where an `output` schema was given. */
  readonly output?: Json;
  readonly usage: Usage;
}
/** The run ended without one. */
export interface ErrorEvent extends EventBase {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly partialText: string;
}
/** The run was cancelled. */
export interface CancelledEvent extends EventBase {
  readonly type: 'cancelled';
  readonly partialText: string;
}

/**
 * Everything that can happen in a run: one flat union of plain JSON. A run's log ends with exactly one of
 * `complete`, `error` and `cancelled`.
 *
 * @example
 * ```ts
 * import type { RunEvent } from '@steward/core';
 *
 * function show(event: RunEvent): string {
 *   switch (event.type) {
 *     case 'token':
 *       return event.text;
 *     case 'tool_result':
 *       return `[${event.tool}: ${event.outcome}]`;
 *     default:
 *       return '';
 *   }
 * }
 * ```
 */
export type RunEvent =
  | RunStartedEvent
  | TokenEvent
  | ReasoningEvent
  | ToolRequestEvent
  | ConfirmationEvent
  | InputRequestedEvent
  | SteeredEvent
  | ToolStartedEvent
  | ToolProgressEvent
  | ToolResultEvent
  | UsageEvent
  | TurnResetEvent
  | SnapshotEvent
  | WarningEvent
  | CompleteEvent
  | ErrorEvent
  | CancelledEvent;

/** The `type` of a {@link RunEvent}. */
export type RunEventType = RunEvent['type'];

/** The event of the given type. */
export type RunEventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>;

/** The events that end a run. */
export type TerminalEvent = CompleteEvent | ErrorEvent | CancelledEvent;

/** Whether an event ends its run. */
export function isTerminal(event: RunEvent): event is TerminalEvent {
  return event.type === 'complete' || event.type === 'error' || event.type === 'cancelled';
}
