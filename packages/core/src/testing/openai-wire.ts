import type { Usage } from '../events/run-event.ts';
import type { FinishReason } from '../model/model-events.ts';
import type { TurnPiece } from './turn-content.ts';

/** One server-sent event before it is written. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
}

/** An error as OpenAI words it. */
export interface WireError {
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
}

/** How a turn ends on the wire. */
export interface WireEnding {
  readonly finishReason: FinishReason;
  readonly usage: Usage | null;
}

/** What both wire formats need to know about the exchange. */
export interface WireContext {
  /** Counts requests from 1; ids are made of it. */
  readonly n: number;
  readonly model: string;
  /** The request's body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Writes one turn in the format of one API. Stateful: `open`, then pieces, then `close` or `fail`. */
export interface OpenAiWire {
  open(first: TurnPiece | undefined): readonly Frame[];
  piece(piece: TurnPiece): readonly Frame[];
  close(ending: WireEnding): readonly Frame[];
  /** An error inside the stream. */
  fail(error: WireError): readonly Frame[];
  /** The whole turn as the JSON body of a request without `stream`; instead of `open` and `close`. */
  body(ending: WireEnding): object;
}

/** Arguments travel in small parts, as models write them. */
export function argumentParts(text: string): readonly string[] {
  return text.match(/[\s\S]{1,6}/gu) ?? [];
}
