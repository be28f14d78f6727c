import type { ModelError } from '../model/model-events.ts';
import type { TurnContent } from './turn-content.ts';

/** One turn of a {@link scriptedModel}: what is said, and what goes wrong. */
export interface ScriptedTurn extends TurnContent {
  /** The turn ends with this error, after what is said. A string is its message. */
  readonly error?: string | Partial<ModelError>;
  /** After so many pieces nothing more is said until the request is aborted. */
  readonly stallAfter?: number;
  /** After so many pieces the stream ends, without `finish` and without `error`. */
  readonly cutAfter?: number;
  /** Allows a call of a tool that the request does not offer (otherwise the turn fails and says so). */
  readonly unofferedTools?: boolean;
}
