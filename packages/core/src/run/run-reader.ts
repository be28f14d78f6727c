import { StewardError } from '../errors/steward-error.ts';
import type { LogReader } from '../events/live-log.ts';
import { isTerminal, type RunEvent } from '../events/run-event.ts';
import type { Owner, PartialText, RunRecord } from '../stores/run-store.ts';
import type { Stores } from '../stores/stores.ts';
import { MissedEvents } from './missed-events.ts';
import type { Pulse } from './pulse.ts';
import { isEnded, openPartOf, snapshotOf } from './snapshot.ts';
import { storedTerminalEvent } from './terminal-event.ts';

/** What readers of one run share. */
export interface RunSource {
  readonly runId: string;
  readonly owner: Owner;
  readonly stores: Stores;
  readonly pulse: Pulse;
  /** The run as it was found or created; rejects with why there is none. */
  readonly located: Promise<RunRecord>;
  /** Aborted when the assistant is closed. */
  readonly closed: AbortSignal;
  readonly now: () => number;
}

const batchSize = 256;

type Wake = 'more' | 'lost';

/**
 * Reads a run's log from a cursor to its end: a place in the live log while that serves it, a `snapshot` from the store
 * where it does not. Never throws and always ends with a terminal event (nothing follows for who has seen it); what
 * refused the run is an `error` event.
 */
export class RunReader implements AsyncIterableIterator<RunEvent, undefined> {
  readonly #source: RunSource;
  readonly #after: string | undefined;
  #batch: readonly RunEvent[] = [];
  #next = 0;
  /** The answer that is under way where nothing was left to take. */
  #filling: Promise<IteratorResult<RunEvent, undefined>> | undefined;
  #log: LogReader | undefined;
  /** The log whose `wait` is under way. */
  #awaited: LogReader | undefined;
  #wake: (why: Wake) => void = () => {};
  #state: 'new' | 'open' | 'ended' = 'new';
  readonly #checks: MissedEvents;
  /** Whether a snapshot was shown from which a live log can go on. */
  #isShown = false;

  constructor(source: RunSource, after?: string) {
    this.#source = source;
    this.#after = after;
    this.#checks = new MissedEvents(after);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RunEvent, undefined>> {
    // Who asks again before the answer comes gets what follows it.
    if (this.#filling) return this.#filling.then(() => this.next());
    const result = this.#take();
    if (result) return Promise.resolve(result);
    this.#filling = this.#refill();
    return this.#filling;
  }

  return(): Promise<IteratorResult<RunEvent, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #refill(): Promise<IteratorResult<RunEvent, undefined>> {
    let batch: readonly RunEvent[];
    try {
      batch = await this.#nextBatch();
    } catch (reason) {
      batch = [this.#refusal(StewardError.from(reason, 'store_unavailable'))];
    }
    this.#filling = undefined;
    if (this.#state === 'ended') return { done: true, value: undefined };
    this.#batch = batch;
    this.#next = 0;
    return this.#take() ?? { done: true, value: undefined };
  }

  #take(): IteratorResult<RunEvent, undefined> | undefined {
    const event = this.#batch[this.#next];
    if (event === undefined) return undefined;
    this.#next += 1;
    if (isTerminal(event)) this.#end();
    return { done: false, value: event };
  }

  async #nextBatch(): Promise<readonly RunEvent[]> {
    if (this.#state === 'new') {
      const first = await this.#begin();
      if (first.length > 0) return first;
    }
    while (this.#state === 'open') {
      const events = this.#log?.take(batchSize) ?? [];
      if (events.length > 0) return this.#checks.see(events);
      if (this.#source.closed.aborted) return [this.#refusal(closed())];
      const why = await this.#source.pulse.during<Wake>((wake) => this.#sleep(wake));
      // The usual case stays in this function: each promise on the way is paid for with every piece of an answer.
      const seen = why === 'more' ? [] : await this.#look(why);
      if (seen.length > 0) return seen;
    }
    return [];
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

  /** At a pulse, or when the live log lost our place, the store says whether something was missed. */
  async #look(why: 'lost' | 'pulse'): Promise<readonly RunEvent[]> {
    if (this.#state === 'ended' || this.#source.closed.aborted) return [];
    try {
      if (why === 'lost') return await this.#fromStore();
      return await (this.#log ? this.#checkLog(this.#log) : this.#checkStore());
    } catch (reason) {
      // The store cannot be reached: the next pulse tries again. That the run is gone is for good.
      if (reason instanceof StewardError && reason.code === 'not_found') throw reason;
      return [];
    }
  }

  #sleep(wake: (why: Wake) => void): void {
    this.#wake = wake;
    const log = this.#log;
    if (!log || this.#awaited === log) return;
    this.#awaited = log;
    void log.wait().then((why) => {
      if (this.#awaited === log) this.#awaited = undefined;
      if (this.#log === log) this.#wake(why);
    });
  }

  async #checkLog(log: LogReader): Promise<readonly RunEvent[]> {
    const { stores, runId, owner } = this.#source;
    const [head] = await stores.runs.heads([runId]);
    if (head && !isEnded(head.status) && !this.#checks.isNews(head.eventCount)) return [];
    const events = log.take(batchSize);
    if (events.length > 0) return this.#checks.see(events);
    if (!head || isEnded(head.status)) return this.#fromStore();
    const run = await stores.runs.load(runId, owner);
    return run && !this.#checks.hasMissed(run) ? [] : this.#fromStore();
  }

  /** The live log does not serve this run: at each pulse it is asked again, and then the store. */
  async #checkStore(): Promise<readonly RunEvent[]> {
    const { stores, runId } = this.#source;
    const [head] = await stores.runs.heads([runId]);
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
    const run = await stores.runs.load(runId, owner);
    if (!run) throw notFound(runId);
    if (run.end) {
      const end = await storedTerminalEvent(run, run.end, stores);
      return [await snapshotOf(run, stores, null), end];
    }
    const open = await this.#goOn(run);
    this.#checks.show(run, open);
    // A run that has not said anything yet needs no snapshot: its log tells everything.
    if (this.#log && run.eventCount === 0) return [];
    this.#isShown = true;
    return [await snapshotOf(run, stores, open)];
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
    this.#wake('lost');
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
