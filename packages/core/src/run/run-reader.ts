import { StewardError } from '../errors/steward-error.ts';
import type { LogReader, LogWake } from '../events/live-log.ts';
import { isTerminal, type RunEvent } from '../events/run-event.ts';
import type { Owner, PartialText, RunRecord } from '../stores/run-store.ts';
import type { Stores } from '../stores/stores.ts';
import { MissedEvents } from './missed-events.ts';
import type { Pulse, Sleeper } from './pulse.ts';
import type { RunHeads } from './run-heads.ts';
import { isEnded, openPartOf } from './run-state.ts';

/** What readers of one run share. */
export interface RunSource {
  readonly runId: string;
  readonly owner: Owner;
  readonly stores: Stores;
  readonly pulse: Pulse;
  readonly heads: RunHeads;
  /** The run as it was found or created; rejects with why there is none. */
  readonly located: Promise<RunRecord>;
  /** Aborted when the assistant is closed. */
  readonly closed: AbortSignal;
  readonly now: () => number;
}

const batchSize = 256;

/** Who is shown the state before its log has it too looks for the log this soon, before the pulse. */
const earlyLooksMs = [5, 20, 80, 320];

type Result = IteratorResult<RunEvent, undefined>;
const done: Result = { done: true, value: undefined };

/**
 * Reads a run's log from a cursor to its end: a place in the live log while that serves it, a `snapshot` from the store
 * where it does not. Never throws and always ends with a terminal event (nothing follows for who has seen it); what
 * refused the run is an `error` event.
 *
 * Who waits for an event holds one promise, which the log settles by a callback: all else on the way would be paid for
 * with every piece of an answer. Only questions to the store are asynchronous functions.
 */
export class RunReader implements AsyncIterableIterator<RunEvent, undefined>, Sleeper {
  readonly #source: RunSource;
  readonly #after: string | undefined;
  #batch: readonly RunEvent[] = [];
  #next = 0;
  /** The answer that is under way where nothing was left to take, and what gives it. */
  #pending: Promise<Result> | undefined;
  #settle: ((result: Result) => void) | undefined;
  #log: LogReader | undefined;
  /** The log that will wake this reader. */
  #awaited: LogReader | undefined;
  #isAsking = false;
  #state: 'new' | 'open' | 'ended' = 'new';
  readonly #checks: MissedEvents;
  /** Whether a snapshot was shown from which a live log can go on. */
  #isShown = false;
  /** How many of the early looks for a log were made. */
  #looks = 0;
  #cancelLook: (() => void) | undefined;
  /** Heard of a new owner while it was asking the store, whose answer may be of before. */
  #hasHeard = false;

  constructor(source: RunSource, after?: string) {
    this.#source = source;
    this.#after = after;
    this.#checks = new MissedEvents(after);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    // Who asks again before the answer comes gets what follows it.
    if (this.#pending) return this.#pending.then(() => this.next());
    const result = this.#take();
    if (result) return Promise.resolve(result);
    this.#pending = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const pending = this.#pending;
    if (this.#state === 'new') void this.#ask(() => this.#begin());
    else this.#serve();
    return pending;
  }

  return(): Promise<Result> {
    this.#end();
    this.#answer([]);
    return Promise.resolve(done);
  }

  get runId(): string {
    return this.#source.runId;
  }

  hear(): void {
    this.#looks = 0;
    if (this.#isWaiting()) this.beat();
    else this.#hasHeard = true;
  }

  /** At a pulse the store says whether something was missed. */
  beat(): void {
    this.#look(() => (this.#log ? this.#checkLog(this.#log) : this.#checkStore()));
  }

  /** Answers with what the log has, or waits for it. */
  #serve(): void {
    const events = this.#log?.take(batchSize) ?? [];
    if (events.length > 0) this.#answer(this.#checks.see(events));
    else if (this.#state === 'ended') this.#answer([]);
    else if (this.#source.closed.aborted) this.#answer([this.#refusal(closed())]);
    else this.#wait();
  }

  #wait(): void {
    this.#source.pulse.join(this);
    if (!this.#log) this.#lookSoon();
    if (!this.#log || this.#awaited === this.#log) return;
    this.#awaited = this.#log;
    this.#log.wait(this.#onWake);
  }

  /** What is stored is in the log a moment later: nobody has to wait for the pulse because of that. */
  #lookSoon(): void {
    if (this.#hasHeard) {
      this.#hasHeard = false;
      this.beat();
      return;
    }
    const ms = earlyLooksMs[this.#looks];
    if (ms === undefined) return;
    this.#looks += 1;
    this.#cancelLook?.();
    this.#cancelLook = this.#source.pulse.soon(this, ms);
  }

  readonly #onWake: LogWake = (why) => {
    this.#awaited = undefined;
    if (why === 'lost') {
      this.#looks = 0;
      this.#look(() => this.#fromStore());
    } else if (this.#isWaiting()) this.#serve();
  };

  /** While the store is being asked nothing else has to be done: the log is looked at after that. */
  #isWaiting(): boolean {
    return this.#settle !== undefined && !this.#isAsking;
  }

  /** Asks the store in mid-stream; while that cannot be reached, the next pulse tries again. */
  #look(question: () => Promise<readonly RunEvent[]>): void {
    if (!this.#isWaiting()) return;
    if (this.#source.closed.aborted) this.#serve();
    else void this.#ask(() => unlessGone(question));
  }

  /** Gives the events to whoever waits; none at the end. */
  #answer(events: readonly RunEvent[]): void {
    const settle = this.#settle;
    this.#pending = undefined;
    this.#settle = undefined;
    this.#batch = this.#state === 'ended' ? [] : events;
    this.#next = 0;
    settle?.(this.#take() ?? done);
  }

  #take(): Result | undefined {
    const event = this.#batch[this.#next];
    if (event === undefined) return undefined;
    this.#next += 1;
    if (isTerminal(event)) this.#end();
    return { done: false, value: event };
  }

  /** Asks the store, and goes on with the log where that has nothing to say. */
  async #ask(question: () => Promise<readonly RunEvent[]>): Promise<void> {
    let events: readonly RunEvent[];
    this.#isAsking = true;
    this.#source.pulse.join(this);
    try {
      events = await question();
    } catch (reason) {
      events = [this.#refusal(StewardError.from(reason, 'store_unavailable'))];
    }
    this.#isAsking = false;
    // Who left meanwhile does not know what was opened since.
    if (this.#state === 'ended') this.#end();
    if (events.length > 0) this.#answer(events);
    else this.#serve();
  }

  async #begin(): Promise<readonly RunEvent[]> {
    this.#state = 'open';
    const run = await this.#source.located;
    if (isEnded(run.status) && this.#after === run.lastCursor) {
      this.#end();
      return [];
    }
    this.#log = await this.#source.stores.liveLog.tail(run, this.#after);
    return this.#log ? [] : this.#fromStore();
  }

  async #checkLog(log: LogReader): Promise<readonly RunEvent[]> {
    const { heads, stores, runId, owner } = this.#source;
    const head = await heads.of(runId);
    if (head && !isEnded(head.status) && !this.#checks.isNews(head.eventCount)) return [];
    const events = log.take(batchSize);
    if (events.length > 0) return this.#checks.see(events);
    if (!head || isEnded(head.status)) return this.#fromStore();
    const run = await stores.runs.load(runId, owner);
    return run && !this.#checks.hasMissed(run) ? [] : this.#fromStore();
  }

  /** The live log does not serve this run: at each pulse it is asked again, and then the store. */
  async #checkStore(): Promise<readonly RunEvent[]> {
    const { heads, stores, runId } = this.#source;
    const head = await heads.of(runId);
    if (!this.#isShown || !head || this.#checks.isNews(head.eventCount)) return this.#fromStore();
    const run = await this.#source.located;
    this.#log = await stores.liveLog.tail(run, this.#checks.newest);
    return [];
  }

  /** The state from the store; after it the live log goes on, if it holds what follows. */
  async #fromStore(): Promise<readonly RunEvent[]> {
    const { stores, runId, owner } = this.#source;
    this.#log?.close();
    this.#log = undefined;
    const { snapshotOf } = await import('./snapshot.ts');
    const run = await stores.runs.load(runId, owner);
    if (!run) throw notFound(runId);
    if (run.end) {
      const { storedTerminalEvent } = await import('./terminal-event.ts');
      const end = await storedTerminalEvent(run, run.end, stores);
      return [await snapshotOf(run, stores, { open: null, isFollowed: false }), end];
    }
    const open = await this.#goOn(run);
    this.#checks.show(run, open);
    // A run that has not said anything yet needs no snapshot: its log tells everything.
    if (this.#log && run.eventCount === 0) return [];
    this.#isShown = true;
    return [await snapshotOf(run, stores, { open, isFollowed: this.#log !== undefined })];
  }

  /** Finds where the live log goes on: behind the open text, which is then to be shown, or before it. */
  async #goOn(run: RunRecord): Promise<PartialText | null> {
    const { liveLog } = this.#source.stores;
    const open = openPartOf(run);
    this.#log = open ? await liveLog.tail(run, open.cursor) : undefined;
    if (this.#log) return open;
    this.#log = await liveLog.tail(run, run.lastCursor ?? undefined);
    return this.#log ? null : open;
  }

  #end(): void {
    this.#state = 'ended';
    this.#batch = [];
    this.#next = 0;
    this.#log?.close();
    this.#log = undefined;
    this.#cancelLook?.();
    this.#source.pulse.leave(this);
  }

  /** An event that only this reader sees: there is no run, or no way to it. */
  #refusal({ code, detail, retryable }: StewardError): RunEvent {
    const { runId, now } = this.#source;
    return {
      type: 'error',
      runId,
      at: now(),
      cursor: '0-0',
      code,
      message: detail,
      retryable,
      partialText: '',
    };
  }
}

/** Nothing where the store cannot be reached: that passes. That the run is gone is for good. */
async function unlessGone(
  question: () => Promise<readonly RunEvent[]>,
): Promise<readonly RunEvent[]> {
  try {
    return await question();
  } catch (reason) {
    if (reason instanceof StewardError && reason.code === 'not_found') throw reason;
    return [];
  }
}

/** The error for a run that is not there, or not the asker's. */
export function notFound(runId: string): StewardError {
  return new StewardError('not_found', `There is no run "${runId}" of this user.`, {
    field: 'runId',
  });
}

/** The error for whatever is asked of a closed assistant. */
export function closed(): StewardError {
  return new StewardError('closed', 'The assistant was closed; create a new one.');
}
