import { StewardError } from '../errors/steward-error.ts';
import type { MessageToolCall } from '../events/message.ts';
import { defined } from '../internal/defined.ts';
import { cleanText } from '../internal/storable.ts';
import { isBackgroundModel } from '../model/background-model.ts';
import type { ModelRequest } from '../model/model-client.ts';
import type { ModelEvent, ModelFailure, ModelFinish } from '../model/model-events.ts';
import { takeEvents } from '../model/take-events.ts';
import { modelFailure } from './model-failure.ts';
import type { OwnedRun } from './owned-run.ts';
import { TurnWatch, type TurnWatchListener } from './turn-watch.ts';

/** A turn as the model said it. */
export interface ReadTurn {
  readonly text: string;
  readonly refusal: string;
  readonly toolCalls: readonly MessageToolCall[];
  /** `null` when the turn was cut short. */
  readonly finish: ModelFinish | null;
  /** The provider fell silent after it had begun; `text` is what it said. */
  readonly stalled: boolean;
  /** The answer was longer than the limit and was cut there. */
  readonly tooLong: boolean;
}

/**
 * Streams one turn into the run's log. Throws a `model_*` error when the provider fails, and the signal's reason when
 * the run has to stop. A provider that falls silent in mid-answer is no failure: its text is kept.
 */
export async function readTurn(
  run: OwnedRun,
  turn: number,
  request: ModelRequest,
): Promise<ReadTurn> {
  run.throwIfStopped();
  const reading = new TurnReading(run, turn);
  try {
    await reading.read(request);
    return reading;
  } catch (reason) {
    run.throwIfStopped();
    throw StewardError.from(reason, 'model_failed');
  } finally {
    reading.end();
  }
}

class TurnReading implements ReadTurn, TurnWatchListener {
  refusal = '';
  readonly toolCalls: MessageToolCall[] = [];
  finish: ModelFinish | null = null;
  stalled = false;
  tooLong = false;
  readonly #run: OwnedRun;
  readonly #turn: number;
  readonly #request = new AbortController();
  readonly #began: number;
  readonly #watch: TurnWatch;
  readonly #over = Promise.withResolvers<void>();
  readonly #forgetStop: () => void;
  #ended = false;
  #savedLength = 0;
  #size = 0;

  constructor(run: OwnedRun, turn: number) {
    this.#run = run;
    this.#turn = turn;
    const { clock, limits } = run.settings;
    this.#began = clock.now();
    this.#watch = new TurnWatch(clock, limits, this);
    this.#forgetStop = run.onStop(this.#over.reject);
    run.openText = '';
  }

  get text(): string {
    return this.#run.openText;
  }

  /** Ends with the turn, and with a silence or a stop even if the model client does not heed its signal. */
  read(request: ModelRequest): Promise<void> {
    const { resolve, reject, promise } = this.#over;
    takeEvents(this.#ask(request), (event) => this.#take(event)).then(
      (isWhole) => (isWhole ? resolve() : reject(unfinished())),
      reject,
    );
    return promise;
  }

  /** The answer that was begun for this turn, where there is one; else a new one. */
  #ask(request: ModelRequest): AsyncIterable<ModelEvent> {
    const { openResponse, settings } = this.#run;
    const { model } = settings;
    const options = { signal: this.#request.signal };
    if (openResponse !== null && isBackgroundModel(model))
      return model.resume(openResponse, options);
    this.#run.openResponse = null;
    return model.stream(request, options);
  }

  silent(started: boolean): void {
    this.stalled = this.text !== '';
    if (this.stalled) this.#over.resolve();
    else this.#over.reject(silence(started));
  }

  /** Saves the text so far, so that a dead process loses at most a second of it. */
  tick(): void {
    const { settings, fence } = this.#run;
    const text = cleanText(this.text);
    if (text.length === this.#savedLength) return;
    this.#savedLength = text.length;
    const responseId = this.#run.openResponse ?? undefined;
    const cursor = this.#run.log.newest;
    const partial = { turn: this.#turn, text, cursor, ...defined({ responseId }) };
    settings.stores.runs.savePartial(fence, partial).catch((reason: unknown) => {
      if (reason instanceof StewardError && reason.code === 'fenced') this.#run.stop('fenced');
      else this.#savedLength = -1; // the next tick tries again
    });
  }

  /** Whatever still comes is not for this run any more. */
  end(): void {
    this.#ended = true;
    this.#watch.end();
    this.#forgetStop();
    if (this.finish === null) this.#request.abort(new StewardError('aborted', 'The turn is over.'));
  }

  /** Whether the turn is over with it. */
  #take(event: ModelEvent): boolean {
    if (this.#ended) return true;
    if (event.type === 'text') {
      this.#watch.piece();
      this.#text(event.text);
    } else {
      this.#other(event);
    }
    return this.finish !== null || this.tooLong;
  }

  #text(text: string): void {
    const run = this.#run;
    if (run.openText === '') this.#firstText();
    run.openText += text;
    run.log.token(this.#turn, text);
    this.#count(text.length);
  }

  /** Everything that is kept counts: an answer without end may also be one of calls. */
  #count(characters: number): void {
    this.#size += characters;
    if (this.#size > this.#run.settings.limits.maxAnswerCharacters) this.tooLong = true;
  }

  #reset(): void {
    this.refusal = '';
    this.#run.openText = '';
    const reason = 'The provider said the answer again.';
    this.#run.log.show({ type: 'turn_reset', turn: this.#turn, reason });
  }

  #firstText(): void {
    this.#run.turnShown = true;
    const { telemetry, clock } = this.#run.settings;
    const seconds = (clock.now() - this.#began) / 1_000;
    telemetry.record('gen_ai.client.operation.time_to_first_chunk', seconds, {
      'gen_ai.operation.name': 'chat',
    });
  }

  #other(event: Exclude<ModelEvent, { type: 'text' }>): void {
    if (event.type === 'start') {
      this.#run.turnAccepted = true;
      this.#watch.started();
    } else this.#watch.piece();
    switch (event.type) {
      case 'resumable':
        this.#note(event.responseId);
        break;
      case 'reasoning':
        this.#run.log.show({ type: 'reasoning', turn: this.#turn, text: event.text });
        this.#run.turnShown = true;
        break;
      case 'refusal':
        this.refusal += event.text;
        this.#count(event.text.length);
        break;
      case 'reset':
        this.#reset();
        break;
      case 'tool_call':
        this.#toolCall(event);
        this.#count(event.argumentsText.length + event.name.length + event.id.length);
        break;
      case 'finish':
        this.finish = event;
        break;
      case 'error':
        if (isFinal(event)) this.#run.openResponse = null;
        throw modelFailure(event.error);
    }
  }

  /** Stored at once: whoever goes on with this run reads the same answer. */
  #note(responseId: string): void {
    if (this.#run.openResponse === responseId) return;
    this.#run.openResponse = responseId;
    this.#savedLength = -1;
    this.tick();
  }

  #toolCall({ id, name, argumentsText, custom }: Extract<ModelEvent, { type: 'tool_call' }>): void {
    this.toolCalls.push({
      id: cleanText(id),
      name: cleanText(name),
      argumentsText: cleanText(argumentsText),
      ...(custom && { custom }),
    });
  }
}

/** Whether there is no answer to go on with: the provider ended it, or says that it has none. */
function isFinal({ finish, error: { status } }: ModelFailure): boolean {
  const mayPass = status === null || status >= 500 || [408, 409, 429].includes(status);
  return finish !== undefined || !mayPass;
}

function unfinished(): StewardError {
  return new StewardError(
    'model_failed',
    'The model ended its stream without saying that it was done.',
  );
}

function silence(started: boolean): StewardError {
  return started
    ? new StewardError('model_timeout', 'The provider accepted the request and then said nothing.')
    : new StewardError('model_timeout', 'The provider did not accept the request in time.');
}
