import { StewardError } from '../errors/steward-error.ts';
import type { LogReader } from '../events/live-log.ts';
import { isTerminal, type RunEvent } from '../events/run-event.ts';
import type { Owner, RunRecord } from '../stores/run-store.ts';
import type { Stores } from '../stores/stores.ts';
import type { Pulse } from './pulse.ts';
import { isEnded, snapshotOf, terminalEventOf } from './snapshot.ts';

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

/**
 * Reads a run's log from a cursor to its end: a place in the live log while that serves it, a `snapshot` from the store
 * where it does not. Never throws and always ends with a terminal event; what refused the run is an `error` event.
 */
export class RunReader implements AsyncIterableIterator<RunEvent, undefined> {
  readonly #source: RunSource;
  readonly #after: string | undefined;
  #batch: readonly RunEvent[] = [];
  #next = 0;
  #log: LogReader | undefined;
  #state: 'new' | 'open' | 'ended' = 'new';
  /** The newest durable event that a snapshot has shown; `null` while the live log serves. */
  #shownUpTo: number | null = null;

  constructor(source: RunSource, after?: string) {
    this.#source = source;
    this.#after = after;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RunEvent, undefined>> {
    const event = this.#batch[this.#next];
    if (event === undefined) return this.#refill();
    this.#next += 1;
    if (isTerminal(event)) this.#end();
    return Promise.resolve({ done: false, value: event });
  }

  return(): Promise<IteratorResult<RunEvent, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #refill(): Promise<IteratorResult<RunEvent, undefined>> {
    if (this.#state === 'ended') return { done: true, value: undefined };
    this.#next = 0;
    try {
      this.#batch = await this.#nextBatch();
    } catch (reason) {
      this.#batch = [this.#refusal(StewardError.from(reason, 'store_unavailable'))];
    }
    return this.next();
  }

  async #nextBatch(): Promise<readonly RunEvent[]> {
    if (this.#state === 'new') {
      this.#state = 'open';
      const run = await this.#source.located;
      this.#log = await this.#source.stores.liveLog.tail(run, this.#after);
      if (!this.#log) return this.#fromStore();
    }
    for (;;) {
      const events = this.#log?.take(batchSize) ?? [];
      if (events.length > 0) return events;
      if (this.#source.closed.aborted) return [this.#refusal(closed())];
      const seen = await (this.#log ? this.#waitForLog(this.#log) : this.#waitForStore());
      if (seen.length > 0) return seen;
    }
  }

  /** Waits for the live log; at a pulse, or when it lost our place, the store says whether something was missed. */
  async #waitForLog(log: LogReader): Promise<readonly RunEvent[]> {
    const outcome = await this.#source.pulse.during(log.wait());
    if (outcome === 'more' || this.#source.closed.aborted) return [];
    if (outcome === 'pulse') {
      const [head] = await this.#source.stores.runs.heads([this.#source.runId]);
      if (!head || !isEnded(head.status)) return [];
      const events = log.take(batchSize);
      if (events.length > 0) return events;
    }
    return this.#fromStore();
  }

  /** The live log does not serve this run: the store is asked at each pulse. */
  async #waitForStore(): Promise<readonly RunEvent[]> {
    await this.#source.pulse.during(new Promise<never>(() => {}));
    if (this.#source.closed.aborted) return [];
    const [head] = await this.#source.stores.runs.heads([this.#source.runId]);
    if (head && head.eventCount === this.#shownUpTo) return [];
    return this.#fromStore();
  }

  /** The state from the store; after it the live log goes on, if it holds what follows. */
  async #fromStore(): Promise<readonly RunEvent[]> {
    const { stores, runId, owner } = this.#source;
    this.#log?.close();
    this.#log = undefined;
    const run = await stores.runs.load(runId, owner);
    if (!run) throw notFound(runId);
    this.#shownUpTo = run.eventCount;
    if (isEnded(run.status)) return this.#endFromStore(run);
    this.#log = await stores.liveLog.tail(run, run.lastCursor ?? undefined);
    if (!this.#log) return [await snapshotOf(run, stores, run.partial?.text ?? '')];
    // A run that has not said anything yet needs no snapshot: its log tells everything.
    return run.eventCount === 0 ? [] : [await snapshotOf(run, stores, '')];
  }

  async #endFromStore(run: RunRecord): Promise<readonly RunEvent[]> {
    const { stores } = this.#source;
    const snapshot = await snapshotOf(run, stores, '');
    const end = await terminalEventOf(run, stores);
    return [snapshot, end ?? this.#refusal(new StewardError('internal', 'The end is missing.'))];
  }

  #end(): void {
    this.#state = 'ended';
    this.#batch = [];
    this.#next = 0;
    this.#log?.close();
    this.#log = undefined;
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
