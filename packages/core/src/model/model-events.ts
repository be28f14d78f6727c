import type { Usage } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';

/** Why the model stopped; `null` where the provider did not say (a queued response). */
export type FinishReason = 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'error' | null;

/** What a provider said was wrong, or what happened on the way to it. */
export interface ModelError {
  /** HTTP status, or `null` for an error inside a stream or without an answer. */
  readonly status: number | null;
  /** The provider's code, or one of Steward's (`model_unreachable`, `aborted`, ...) where there was no answer. */
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string;
  /** Milliseconds of `Retry-After`, where it was sent. */
  readonly retryAfterMs?: number;
}

/** The answer began: the provider accepted the request. */
export interface ModelStart {
  readonly type: 'start';
  /** The provider's id of the HTTP request, for support. */
  readonly requestId: string | null;
}
/** The answer is made in the background: under this id it can be read by others (`BackgroundModel`). */
export interface ModelResumable {
  readonly type: 'resumable';
  readonly responseId: string;
}
/** A piece of the answer. Never empty. */
export interface ModelText {
  readonly type: 'text';
  readonly text: string;
}
/**
 * The text and refusal so far are void: what the provider calls its whole answer is not what it streamed (a stream
 * that was joined late). The whole answer follows as new pieces.
 */
export interface ModelReset {
  readonly type: 'reset';
}
/** A piece of reasoning, as far as the provider shows it. */
export interface ModelReasoning {
  readonly type: 'reasoning';
  readonly text: string;
}
/** A piece of a refusal. */
export interface ModelRefusal {
  readonly type: 'refusal';
  readonly text: string;
}
/** One whole tool call; sent once its arguments are complete. */
export interface ModelToolCall {
  readonly type: 'tool_call';
  /** The provider's call id; made up (`call_<n>`) where the provider sent none. */
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
  readonly custom: boolean;
}
/** Something arrived that has no event of its own (arguments being written, a hosted tool at work): not a stall. */
export interface ModelProgress {
  readonly type: 'progress';
}
/** The turn is over; the last event. */
export interface ModelFinish {
  readonly type: 'finish';
  readonly reason: FinishReason;
  readonly responseId: string | null;
  /** The model that answered, as the provider names it. */
  readonly model: string | null;
  readonly usage: Usage | null;
  /** What the provider said, item by item, to be sent back unchanged in the next turn. */
  readonly verbatim: { readonly api: string; readonly items: readonly Json[] } | null;
}
/** The turn failed; the last event. */
export interface ModelFailure {
  readonly type: 'error';
  readonly error: ModelError;
  /** How the provider itself ended the failed turn, with what it cost; absent where it did not. */
  readonly finish?: ModelFinish;
}

/** What a model client says while it answers: `start`, pieces, then `finish` or `error`. */
export type ModelEvent =
  | ModelStart
  | ModelResumable
  | ModelText
  | ModelReset
  | ModelReasoning
  | ModelRefusal
  | ModelToolCall
  | ModelProgress
  | ModelFinish
  | ModelFailure;
