import { StewardError } from '../errors/steward-error.ts';
import type { ConversationMessage } from '../events/conversation-message.ts';
import type { RunEvent, Usage } from '../events/run-event.ts';
import { addUsage, noUsage } from '../events/usage.ts';
import { isRecord, type Json } from '../internal/json.ts';
import { cleanText } from '../internal/storable.ts';
import { newCallRecord } from '../stores/new-call-record.ts';
import type {
  CallRecord,
  CallResult,
  Claim,
  CommittedTurn,
  Fence,
  InputRecord,
  PlannedCall,
  RunEnd,
  RunRecord,
  SteerRecord,
} from '../stores/run-store.ts';
import type { Principal } from '../tools/tool.ts';
import { askedMs } from './asked-time.ts';
import { RunDeadline } from './run-deadline.ts';
import { RunLog } from './run-log.ts';
import type { RunSettings, StoredRunOptions } from './run-settings.ts';
import { openPartOf, openResponseOf } from './run-state.ts';

/** Why an owner has to stop before the run is at its end. */
export type StopCause = 'cancelled' | 'fenced' | 'deadline' | 'shutdown';

/** A claimed run, and the events that were stored with it and that nobody has seen. */
export interface StartedRun extends Claim {
  readonly begun: readonly RunEvent[];
}

/** Told what the work of an owner that has to stop is to be rejected with. */
type StopListener = (reason: StewardError) => void;

/** A run while this process owns it: what is committed, its log, and what stops it. */
export class OwnedRun {
  readonly settings: RunSettings;
  readonly record: RunRecord;
  readonly takeovers: number;
  readonly options: StoredRunOptions;
  readonly principal: Principal;
  readonly fence: Fence;
  readonly log: RunLog;
  readonly deadline: RunDeadline;
  readonly begun: readonly RunEvent[];
  /** The conversation before this run. */
  readonly history: readonly ConversationMessage[];
  usage: Usage = noUsage;
  turns: CommittedTurn[] = [];
  calls: CallRecord[] = [];
  steers: readonly SteerRecord[] = [];
  inputs: readonly InputRecord[] = [];
  /** The text of the turn that is not committed yet. */
  openText = '';
  /** What the provider calls the answer that it makes for that turn in the background, once it is known. */
  openResponse: string | null;
  /** Whether readers were shown anything of that turn: text, or what the model thought. */
  turnShown = false;
  /** Whether the provider took a request of that turn. */
  turnAccepted = false;
  /** How the run ended, once this owner has ended it. */
  end: RunEnd | null = null;
  /** How far the store's clock is ahead of ours, in milliseconds. */
  readonly #ahead: number;
  readonly #stopListeners = new Set<StopListener>();
  #stopCause: StopCause | null = null;
  #stopReason: StewardError | null = null;
  /** Made for the first question: hardly any run asks one. */
  #waitingInputs: Map<string, (answer: Json) => void> | undefined;

  constructor(claim: StartedRun, settings: RunSettings) {
    const { run } = claim;
    this.settings = settings;
    this.record = run;
    this.takeovers = claim.takeovers;
    this.#ahead = claim.now - settings.clock.now();
    this.options = run.options as StoredRunOptions;
    this.principal = run.principal as unknown as Principal;
    this.fence = { runId: run.runId, epoch: run.epoch };
    this.log = new RunLog({
      runId: run.runId,
      epoch: run.epoch,
      begun: claim.begun.length,
      writer: settings.stores.liveLog.open(run, run.epoch, run.lastCursor),
      clock: settings.clock,
    });
    this.begun = claim.begun;
    this.history = claim.history;
    const left =
      run.deadlineAt - claim.now + askedMs(run.inputs, claim.now, settings.limits.decideWithinMs);
    this.deadline = new RunDeadline(settings.clock, left, () => this.stop('deadline'));
    this.takeOver(run);
    this.openText = openPartOf(run)?.text ?? '';
    this.openResponse = openResponseOf(run);
    if (run.cancelRequested) this.stop('cancelled');
  }

  /** Why the owner has to stop; `null` while it need not. */
  get stopCause(): StopCause | null {
    return this.#stopCause;
  }

  /** What its work is to be rejected with; `null` while the owner need not stop. */
  get stopReason(): StewardError | null {
    return this.#stopReason;
  }

  throwIfStopped(): void {
    if (this.#stopReason) throw this.#stopReason;
  }

  /** The store's time, as near as we know it. */
  storeNow(): number {
    return this.settings.clock.now() + this.#ahead;
  }

  /** The text that a person has seen of an answer that is not committed, or of the last turn. */
  get visibleText(): string {
    return cleanText(this.openText) || (this.turns.at(-1)?.message.content ?? '');
  }

  /** The committed turn that leaves nothing to do, when there is one: the run can end with it, whoever committed it. */
  get answer(): CommittedTurn | null {
    const last = this.turns.at(-1);
    if (last === undefined || this.record.input.kind === 'call') return null;
    const hasCalls = this.calls.some((call) => call.turn === last.turn);
    const isSteered = this.steers.some(({ turn }) => turn === null || turn > last.turn);
    return hasCalls || isSteered ? null : last;
  }

  /** Makes the owner stop. The first cause counts, but for `fenced`, after which nothing may be written. */
  stop(cause: StopCause): void {
    if (this.#stopCause === null || cause === 'fenced') this.#stopCause = cause;
    if (this.#stopReason) return;
    // A stopped run needs no deadline, also when a store that hangs keeps it from its end.
    this.deadline.end();
    const reason = new StewardError('aborted', `The run has to stop: ${cause}.`);
    this.#stopReason = reason;
    for (const listener of this.#stopListeners) listener(reason);
    this.#stopListeners.clear();
  }

  /**
   * Calls `listener` once when the owner has to stop; the returned function forgets it. An AbortSignal would cost more,
   * and each turn and tool call would pay it.
   */
  onStop(listener: StopListener): () => void {
    this.#stopListeners.add(listener);
    return () => this.#stopListeners.delete(listener);
  }

  /** Takes what the store has for what is. */
  takeOver(run: RunRecord): void {
    this.turns = [...run.turns];
    this.calls = [...run.calls];
    this.usage = run.usage;
    this.hear(run);
  }

  /** Takes what the store has now. */
  async reload(): Promise<void> {
    const stored = await this.settings.stores.runs.load(this.fence.runId, null);
    if (stored) this.takeOver(stored);
  }

  /** Takes over what people said: steers, and answers for whoever waits for them. */
  hear({ steers, inputs }: Pick<RunRecord, 'steers' | 'inputs'>): void {
    // What was read before a steer was applied must not make it wait again.
    const known = this.steers;
    this.steers = steers.map((steer) => ({
      ...steer,
      turn: steer.turn ?? known.find(({ steerId }) => steerId === steer.steerId)?.turn ?? null,
    }));
    this.inputs = inputs;
    for (const input of inputs) {
      if (input.answeredAt === null) continue;
      this.#waitingInputs?.get(input.requestId)?.(input.answer);
      this.#waitingInputs?.delete(input.requestId);
    }
  }

  /** Resolves after `ms`; rejects when the owner has to stop. */
  async wait(ms: number): Promise<void> {
    this.throwIfStopped();
    const over = Promise.withResolvers<void>();
    const forget = this.onStop(over.reject);
    const cancel = this.settings.clock.schedule(over.resolve, ms);
    try {
      await over.promise;
    } finally {
      forget();
      cancel();
    }
  }

  /** What `work` comes to; rejects at once when the owner has to stop, however long the host's function takes. */
  async orStop<T>(work: () => T | Promise<T>): Promise<T> {
    this.throwIfStopped();
    const working = work();
    return isThenable(working) ? this.#unlessStopped(working) : working;
  }

  async #unlessStopped<T>(working: T | Promise<T>): Promise<T> {
    const stopped = Promise.withResolvers<never>();
    stopped.promise.catch(() => undefined);
    const forget = this.onStop(stopped.reject);
    // Also where the work itself made the owner stop.
    if (this.#stopReason) stopped.reject(this.#stopReason);
    try {
      return await Promise.race([working, stopped.promise]);
    } finally {
      forget();
    }
  }

  /** The planned and started calls that have no result yet. */
  openCalls(): CallRecord[] {
    return this.calls.filter((call) => call.result === null);
  }

  /** Notes a committed turn. */
  committed(turn: CommittedTurn, planned: readonly PlannedCall[]): void {
    this.turns.push(turn);
    this.usage = addUsage(this.usage, turn.usage);
    this.openText = '';
    this.openResponse = null;
    this.turnShown = false;
    this.calls.push(...planned.map(newCallRecord));
  }

  /** Notes how a call ended. */
  ended(callId: string, result: CallResult): void {
    const at = this.calls.findIndex((call) => call.callId === callId);
    const call = this.calls[at];
    if (call) this.calls[at] = { ...call, status: result.outcome, result };
  }

  /** Waits for the answer of a person; rejects when the signal aborts. */
  waitForInput(requestId: string, signal: AbortSignal): Promise<Json> {
    return new Promise((resolve, reject) => {
      const stopped = () => {
        this.#waitingInputs?.delete(requestId);
        reject(signal.reason);
      };
      if (signal.aborted) return stopped();
      signal.addEventListener('abort', stopped, { once: true });
      this.#waitingInputs ??= new Map();
      this.#waitingInputs.set(requestId, (answer) => {
        signal.removeEventListener('abort', stopped);
        resolve(answer);
      });
    });
  }
}

function isThenable(value: unknown): boolean {
  return isRecord(value) && typeof value['then'] === 'function';
}
