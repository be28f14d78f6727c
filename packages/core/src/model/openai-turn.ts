import { Cancellation } from './cancellation.ts';
import type { EventQueue, EventSource } from './event-queue.ts';
import type { ModelError, ModelEvent } from './model-events.ts';
import { failure, RequestFailure, told } from './openai-client.ts';
import type { BodyTarget, ProviderResponse, ResponseBody } from './response-body.ts';
import { maxEventLength, SseReader, type SseTarget } from './sse.ts';

/** Where a reader puts what it understood. */
export interface TurnSink {
  push(event: ModelEvent): void;
  /** The turn is over; the rest of the body does not matter. */
  close(): void;
}

/** Understands the answers of one API. Closes its sink exactly once, after `finish` or `error`. */
export interface TurnReader extends SseTarget {
  /** The answer came as one JSON document instead of a stream. */
  whole(body: unknown): void;
  /** The body is over, or was cut for the given reason. */
  end(cut?: string): void;
}

/** Starts the request of a turn. */
export type SendTurn = (cancellation: Cancellation) => Promise<ProviderResponse>;

/** Undelivered events at which the socket is paused until the reader has caught up. */
const maxUndelivered = 1_024;

/** What a turn is made of. */
export interface TurnParts {
  /** Where its events go. */
  readonly queue: EventQueue;
  readonly send: SendTurn;
  readonly signal: AbortSignal;
  readonly makeReader: (sink: TurnSink) => TurnReader;
}

/** One turn on its way: request, body, reader, queue. */
export class OpenAITurn implements EventSource, BodyTarget, TurnSink {
  readonly #queue: EventQueue;
  readonly #send: SendTurn;
  readonly #signal: AbortSignal;
  readonly #reader: TurnReader;
  readonly #sse: SseReader;
  /** Of the request alone: the caller's signal outlives many turns and must not collect their listeners. */
  readonly #cancellation = new Cancellation();
  readonly #onAbort = () => this.#fail(failure('aborted', 'The request was aborted.'));
  #body: ResponseBody | undefined;
  #format: 'unknown' | 'sse' | 'json' = 'unknown';
  #json = '';
  #paused = false;
  #closed = false;

  constructor({ queue, send, signal, makeReader }: TurnParts) {
    this.#queue = queue;
    this.#send = send;
    this.#signal = signal;
    this.#reader = makeReader(this);
    this.#sse = new SseReader(this.#reader);
  }

  start(): void {
    if (this.#signal.aborted) {
      this.#onAbort();
      return;
    }
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#open().catch((error: unknown) => {
      const known = error instanceof RequestFailure;
      this.#fail(known ? error.error : failure('model_failed', told(error)));
    });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#body?.resume();
  }

  cancel(): void {
    if (this.#closed) return;
    this.#release();
    this.#body?.destroy();
    this.#cancellation.cancel();
  }

  push(event: ModelEvent): void {
    this.#queue.push(event);
  }

  close(): void {
    if (this.#closed) return;
    this.#release();
    this.#body?.finish();
    this.#queue.end();
  }

  text(slice: string): void {
    try {
      if (this.#format === 'unknown') this.#recognise(slice);
      if (this.#format === 'json') this.#collect(slice);
      else this.#sse.push(slice);
    } catch (error) {
      this.#fail(failure('model_failed', `The stream cannot be read: ${told(error)}`));
    }
    if (this.#queue.length <= maxUndelivered || this.#paused || this.#closed) return;
    this.#paused = true;
    this.#body?.pause();
  }

  end(error?: unknown): void {
    const cut = error === undefined ? undefined : told(error);
    try {
      if (this.#format === 'json') this.#parse(cut);
      else this.#sse.end();
      if (!this.#closed) this.#reader.end(cut);
    } catch (thrown) {
      this.#fail(failure('model_failed', `The stream cannot be read: ${told(thrown)}`));
    }
  }

  async #open(): Promise<void> {
    const response = await this.#send(this.#cancellation);
    if (this.#closed) {
      response.discard();
      return;
    }
    this.push({ type: 'start', requestId: response.headers.get('x-request-id') });
    this.#body = response.read(this);
  }

  /** No line of an event stream begins with a brace; content types are not to be trusted. */
  #recognise(slice: string): void {
    const begin = slice.replace('\uFEFF', '').trimStart().charAt(0);
    if (begin !== '') this.#format = begin === '{' || begin === '[' ? 'json' : 'sse';
  }

  #collect(slice: string): void {
    this.#json += slice;
    if (this.#json.length > maxEventLength) throw new RangeError('the answer is too long');
  }

  #parse(cut: string | undefined): void {
    try {
      this.#reader.whole(JSON.parse(this.#json.replace('\uFEFF', '')));
    } catch (error) {
      this.#fail(failure('stream_cut', `The answer is not whole: ${cut ?? told(error)}`));
    }
  }

  #fail(error: ModelError): void {
    if (this.#closed) return;
    this.push({ type: 'error', error });
    this.cancel();
    this.#queue.end();
  }

  #release(): void {
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
