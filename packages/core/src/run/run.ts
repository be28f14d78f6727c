import { EventEmitter } from 'eventemitter3';
import { StewardError } from '../errors/steward-error.ts';
import type { RunEvent, RunEventOf, RunEventType } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import { RunReader, type RunSource } from './run-reader.ts';
import type { RunResult } from './run-result.ts';

/** The verbs of the assistant, bound to one run and its principal. */
export interface RunVerbs {
  confirm(
    callId: string,
    decision: { readonly approve: boolean; readonly argsDigest: string },
  ): Promise<void>;
  answer(requestId: string, content: Json): Promise<void>;
  cancel(): Promise<void>;
  steer(text: string): Promise<void>;
}

/** How a {@link Run} is made: where it reads, and what its verbs do. */
export interface RunParts<Output> {
  readonly source: RunSource;
  readonly verbs: RunVerbs;
  /** Whether it begins here. What an older one was when it was looked up may have been decided upon meanwhile. */
  readonly isNew: boolean;
  /** How many calls run at the same time: what waits behind so many questions waits for a person, too. */
  readonly maxParallelCalls: number;
  /** Reading begins after this cursor. */
  readonly after: string | undefined;
  /** Gives the stored output its type. */
  readonly parseOutput: (output: Json) => Output | Promise<Output>;
}

type Listeners = { [T in RunEventType]: (event: RunEventOf<T>) => void };

/**
 * A handle on a run: iterate its events, listen to them, wait for its result, or move it. Any number of handles and
 * iterators read the same run; leaving one does not cancel it. An iterator never throws, stays open while the run waits
 * for a person, keeps the process alive meanwhile, and ends after the terminal event. `Output` is the type of
 * `result().output`; a plain `Run` is any run.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel } from '@steward/core';
 *
 * const assistant = new Assistant({ model: demoModel() });
 * const run = assistant.run('Hello');
 * run.on('warning', ({ message }) => console.warn(message));
 * for await (const event of run) if (event.type === 'token') process.stdout.write(event.text);
 * const { status, usage } = await run.result();
 * ```
 */
export class Run<Output = unknown> implements AsyncIterable<RunEvent> {
  readonly #parts: RunParts<Output>;
  #emitter: EventEmitter<Listeners> | undefined;
  /** Whether what is located is the state of the run now. */
  #isNew: boolean;

  /** @internal Runs are made by an assistant. */
  constructor(parts: RunParts<Output>) {
    this.#parts = parts;
    this.#isNew = parts.isNew;
    // A run that was refused is told to whoever reads it; nobody reading is no unhandled rejection.
    const located = () => {
      this.#isNew = false;
    };
    parts.source.located.then(located, located);
  }

  /** The id of the run; known before it is stored. */
  get id(): string {
    return this.#parts.source.runId;
  }

  /** The events from where this handle begins. Each iterator has its own place. */
  [Symbol.asyncIterator](): AsyncIterableIterator<RunEvent, undefined> {
    return new RunReader(this.#parts.source, this.#parts.after);
  }

  /** Calls `listener` for each event of a type. What it throws, or rejects with, is reported as a process warning. */
  on<T extends RunEventType>(type: T, listener: (event: RunEventOf<T>) => void): this {
    this.#events().on(type, listener as never);
    return this;
  }

  /** Removes a listener. */
  off<T extends RunEventType>(type: T, listener: (event: RunEventOf<T>) => void): this {
    this.#emitter?.off(type, listener as never);
    return this;
  }

  /** The text of the answer; as {@link result}. */
  text(): Promise<string> {
    return handled(this.#result().then(({ text }) => text));
  }

  /**
   * What the run came to, or `waiting` when nothing but a person can move it. May be left alone while events are read:
   * its rejection is never an unhandled one.
   *
   * @throws StewardError with the run's code when it ended in an error.
   */
  result(): Promise<RunResult<Output>> {
    return handled(this.#result());
  }

  /**
   * Decides a confirmation of this run. Without `argsDigest` the decision is about the arguments in the store.
   *
   * @throws StewardError `already_decided`, `confirmation_expired`, `args_mismatch` or `not_found`.
   */
  async confirm(
    callId: string,
    decision: { readonly approve: boolean; readonly argsDigest?: string | undefined },
  ): Promise<void> {
    const { source, verbs } = this.#parts;
    const stored = await source.stores.runs.load(this.id, source.owner);
    const call = stored?.calls.find((candidate) => candidate.callId === callId);
    const { approve, argsDigest = call?.argsDigest ?? '' } = { ...decision };
    await verbs.confirm(callId, { approve, argsDigest });
  }

  /** Answers an `input_requested` event. */
  answer(requestId: string, content: Json): Promise<void> {
    return this.#parts.verbs.answer(requestId, content);
  }

  /** Cancels the run, wherever it runs. */
  cancel(): Promise<void> {
    return this.#parts.verbs.cancel();
  }

  /** Gives the model a text at its next turn. */
  steer(text: string): Promise<void> {
    return this.#parts.verbs.steer(text);
  }

  async #result(): Promise<RunResult<Output>> {
    const { source, maxParallelCalls } = this.#parts;
    const { resultOf, settledRun } = await import('./run-result.ts');
    const { output, ...result } = resultOf(
      await settledRun(source, { maxParallelCalls, isNew: this.#isNew }),
    );
    const { parseOutput } = this.#parts;
    return { ...result, output: output === undefined ? undefined : await parseOutput(output) };
  }

  #events(): EventEmitter<Listeners> {
    if (this.#emitter) return this.#emitter;
    const emitter = new EventEmitter<Listeners>();
    this.#emitter = emitter;
    void this.#deliver(emitter);
    return emitter;
  }

  async #deliver(emitter: EventEmitter<Listeners>): Promise<void> {
    for await (const event of this) {
      // One by one: a listener that throws must not keep the event from the others.
      for (const listener of emitter.listeners(event.type)) {
        this.#tell(() => listener(event as never));
      }
    }
  }

  #tell(listener: () => unknown): void {
    const report = (reason: unknown): void => {
      const { detail } = StewardError.from(reason, 'internal');
      process.emitWarning(`A listener of run ${this.id} threw: ${detail}`);
    };
    try {
      const returned = listener();
      if (returned instanceof Promise) returned.catch(report);
    } catch (reason) {
      report(reason);
    }
  }
}

/** A promise that may be left alone. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
