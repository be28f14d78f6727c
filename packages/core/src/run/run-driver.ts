import { StewardError } from '../errors/steward-error.ts';
import { newId } from '../internal/ids.ts';
import type { Hint } from '../stores/hints.ts';
import type { Claim, CreateOutcome, NewRun, Wake } from '../stores/run-store.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { claimRequest } from './new-run.ts';
import type { StartedRun } from './owned-run.ts';
import type { RunSettings } from './run-settings.ts';

type Segment = typeof import('./segment.ts');
type Own = (claim: StartedRun) => Promise<void>;
let loading: Promise<Segment> | undefined;

/** Loaded with the first run: a process that only reads or decides does without. Asked once, as each import costs. */
function loadSegment(): Promise<Segment> {
  loading ??= import('./segment.ts');
  return loading;
}

/** How long after their grace runs get to write down where they are. */
const goodbyeMs = 1_000;

/** Owns runs in this process: claims what the engine brings, keeps the leases, looks for runs that nobody owns. */
export class RunDriver {
  /** Names this process in leases. */
  readonly ownerId = newId('owner');
  readonly #settings: RunSettings;
  /** Tells readers that wait for a run to begin. */
  readonly #onClaim: (runId: string) => void;
  /** Everything under way that has to be over before this process may end. */
  readonly #working = new Set<Promise<unknown>>();
  /** There once a run was begun here. */
  #leases: LeaseKeeper | undefined;
  #givesBack = false;
  #cancelSweep: () => void = () => {};
  #stopListening: () => void = () => {};
  #sweepFails = false;
  #stopped = false;

  constructor(settings: RunSettings, onClaim: (runId: string) => void) {
    this.#settings = settings;
    this.#onClaim = onClaim;
  }

  /** Begins to take work, first of all what an earlier process left. */
  start(): void {
    this.#stopListening = this.#settings.stores.hints.listen((hint) => this.#hear(hint));
    this.#settings.engine
      .start((wake, signal) => this.#resume(wake, signal))
      .then(() => this.#sweep(0))
      .catch((reason: unknown) => {
        process.emitWarning(`Steward's engine did not start: ${String(reason)}`);
      });
  }

  /** Creates a run and, where it does not have to queue, begins it here. */
  create(run: NewRun): Promise<CreateOutcome> {
    return this.#work(this.#create(run));
  }

  /** Hands runs to the engine. */
  wake(wakes: readonly Wake[]): Promise<void> {
    return this.#settings.waker.wake(wakes);
  }

  /** Makes the owner of a run look at what was asked of it, here or in another process. */
  async tell(runId: string): Promise<void> {
    if (this.#leases?.get(runId)) await this.#leases.refresh(runId);
    else this.#settings.stores.hints.tell({ runId });
  }

  /** Takes no more work; lets what runs come to its end for `drainMs`, then gives the rest back. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep();
    const { clock, engine, limits } = this.#settings;
    const cancel = clock.schedule(() => this.#giveBack(), drainMs);
    // A store that does not answer must not keep a process from its end: others take over what it held.
    const isOver = Promise.withResolvers<void>();
    const endMs = drainMs + limits.cancelGraceMs + goodbyeMs;
    const cancelEnd = clock.schedule(isOver.resolve, endMs);
    // What is given back goes to others through the engine: it ends last.
    const idle = Promise.race([this.#idle(), isOver.promise]);
    await Promise.race([engine.stop(drainMs, idle), isOver.promise]);
    this.#stopListening();
    this.#leases?.abandonAll();
    cancelEnd();
    cancel();
  }

  #giveBack(): void {
    this.#givesBack = true;
    this.#leases?.stopAll();
  }

  async #idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  #work<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    const end = () => this.#working.delete(work);
    work.then(end, end);
    return work;
  }

  async #create(run: NewRun): Promise<CreateOutcome> {
    await this.#takeRate(run);
    const own = await this.#ownership();
    const outcome = await this.#settings.stores.runs.create(run);
    if (outcome.kind === 'claimed') {
      await this.#settings.crashPoint('after_create');
      void this.#drive({ ...outcome, takeovers: 0, begun: run.claim.events }, own);
    }
    if (run.onBusy === 'supersede') await this.#tellConversation(run);
    if ('wake' in outcome) await this.wake(outcome.wake);
    return outcome;
  }

  #hear(hint: Hint): void {
    if ('claimedRunId' in hint) this.#onClaim(hint.claimedRunId);
    else this.#leases?.hear(hint);
  }

  async #tellConversation({ tenantId, userId, conversationId }: NewRun): Promise<void> {
    const hint = { tenantId, userId, conversationId };
    this.#settings.stores.hints.tell(hint);
    await this.#leases?.refreshConversation(hint);
  }

  /** Does a segment that the engine brought, unless there is nothing to claim. Never throws. */
  async #resume({ runId }: Wake, signal: AbortSignal): Promise<void> {
    const own = await this.#ownership();
    const claim = signal.aborted ? null : await this.#claim(runId);
    if (!claim) return;
    await this.#settings.crashPoint('after_claim');
    const driving = this.#drive({ ...claim, begun: [] }, own);
    this.#onClaim(runId);
    this.#settings.stores.hints.tell({ claimedRunId: runId });
    const giveBack = () => this.#leases?.get(runId)?.stop('shutdown');
    if (signal.aborted) giveBack();
    // The signal may be that of all segments: it must not collect what they listened with.
    signal.addEventListener('abort', giveBack, { once: true });
    await driving;
    signal.removeEventListener('abort', giveBack);
  }

  async #claim(runId: string): Promise<Claim | null> {
    try {
      const request = claimRequest(this.#settings, this.ownerId);
      return await this.#settings.stores.runs.claim(runId, request);
    } catch (reason) {
      // A sweep brings the run back.
      process.emitWarning(`Steward could not claim run ${runId}: ${String(reason)}`);
      return null;
    }
  }

  /** How a run is owned here. */
  async #ownership(): Promise<Own> {
    const { runSegment, LeaseKeeper } = await loadSegment();
    const { stores, clock, lease } = this.#settings;
    const leases = this.#leases ?? new LeaseKeeper({ runs: stores.runs, clock, lease });
    this.#leases = leases;
    if (this.#givesBack) leases.stopAll();
    return (claim) => runSegment(claim, this.#settings, leases);
  }

  /** Carries on a run that this process has claimed, to its end or to its next owner. Never throws. */
  #drive(claim: StartedRun, own: Own): Promise<void> {
    return this.#work(own(claim)).catch((reason: unknown) => {
      // Nothing could be written: the lease runs out and a sweep brings the run to its next owner.
      process.emitWarning(`Steward could not end run ${claim.run.runId}: ${String(reason)}`);
    });
  }

  async #takeRate({ tenantId, userId }: NewRun): Promise<void> {
    const { rateLimit, stores } = this.#settings;
    if (rateLimit === null) return;
    const take = await stores.rateLimiter.take(
      JSON.stringify(['run', tenantId, userId]),
      rateLimit,
    );
    if (take.allowed) return;
    const { retryAfterMs } = take;
    throw new StewardError('rate_limited', `Try again in ${retryAfterMs} ms.`, { retryAfterMs });
  }

  async #sweep(queuedForMs: number): Promise<void> {
    try {
      const wakes = await this.#settings.stores.runs.sweep({ queuedForMs, limit: 100 });
      if (wakes.length > 0) await this.#settings.crashPoint('after_sweep');
      await this.wake(wakes);
      this.#sweepFails = false;
    } catch (reason) {
      this.#noteSweepFailure(reason);
    }
    await this.#settings.waker.retry();
    if (this.#stopped) return;
    const { clock, lease } = this.#settings;
    // Jitter keeps the sweeps of several processes apart.
    const ms = lease.sweepMs * (0.75 + Math.random() / 2);
    // Who was given a run and has not begun by then is taken for dead, sooner than an owner is.
    const again = () => void this.#sweep(lease.ttlMs / 2);
    this.#cancelSweep = clock.schedule(again, ms, { background: true });
  }

  /** The next sweep finds the same runs. Said once until one succeeds: a store may be away for hours. */
  #noteSweepFailure(reason: unknown): void {
    if (!this.#sweepFails && !this.#stopped) {
      process.emitWarning(`Steward could not look for runs that nobody owns: ${String(reason)}`);
    }
    this.#sweepFails = true;
  }
}
