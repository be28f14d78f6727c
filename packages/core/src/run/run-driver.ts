import { StewardError } from '../errors/steward-error.ts';
import { newId } from '../internal/ids.ts';
import type { Claim, CreateOutcome, NewRun, Wake } from '../stores/run-store.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { OwnedRun } from './owned-run.ts';
import type { RunSettings } from './run-settings.ts';
import { wakeRuns } from './wake-runs.ts';

/** Owns runs in this process: claims what the engine brings, keeps the leases, looks for runs that nobody owns. */
export class RunDriver {
  /** Names this process in leases. */
  readonly ownerId = newId('owner');
  readonly leases: LeaseKeeper;
  readonly #settings: RunSettings;
  /** Tells readers that wait for a run to begin. */
  readonly #onClaim: () => void;
  /** Everything under way that has to be over before this process may end. */
  readonly #working = new Set<Promise<unknown>>();
  #cancelSweep: () => void = () => {};
  #stopped = false;
  /** The time to drain is over: what is still claimed is given back. */
  #drained = false;

  constructor(settings: RunSettings, onClaim: () => void) {
    this.#settings = settings;
    this.#onClaim = onClaim;
    const { stores, clock, lease } = settings;
    this.leases = new LeaseKeeper({ runs: stores.runs, clock, lease });
  }

  /** Begins to take work, first of all what an earlier process left. */
  start(): void {
    this.#settings.engine
      .start((wake) => this.#resume(wake))
      .then(() => this.#sweep(0))
      .catch((reason: unknown) => {
        process.emitWarning(`Steward's engine did not start: ${String(reason)}`);
      });
  }

  /** Creates a run and, where it does not have to queue, begins it here. */
  create(run: NewRun): Promise<CreateOutcome> {
    return this.#work(this.#create(run));
  }

  /** Carries on a run that this process has claimed, to its end or to its next owner. Never throws. */
  drive(claim: Claim): Promise<void> {
    return this.#work(this.#drive(claim));
  }

  /** Hands runs to the engine. */
  wake(wakes: readonly Wake[]): Promise<void> {
    return wakeRuns(this.#settings.engine, wakes);
  }

  /** Takes no more work; lets what runs come to its end for `drainMs`, then gives the rest back. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep();
    const { clock, engine, limits } = this.#settings;
    const cancel = clock.schedule(() => {
      this.#drained = true;
      this.leases.stopAll('shutdown');
    }, drainMs);
    const stopping = engine.stop(drainMs);
    // A store that does not answer must not keep a process from its end: others take over what it held.
    const isOver = Promise.withResolvers<void>();
    const cancelEnd = clock.schedule(isOver.resolve, drainMs + limits.cancelGraceMs);
    await Promise.race([Promise.all([stopping, this.#idle()]), isOver.promise]);
    this.leases.abandonAll();
    cancelEnd();
    cancel();
  }

  async #idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  async #work<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    try {
      return await work;
    } finally {
      this.#working.delete(work);
    }
  }

  async #create(run: NewRun): Promise<CreateOutcome> {
    await this.#takeRate(run);
    const outcome = await this.#settings.stores.runs.create(run);
    if (outcome.kind === 'claimed') {
      await this.#settings.crashPoint('after_create');
      void this.drive({ run: outcome.run, takeovers: 0, now: outcome.now });
    }
    if ('wake' in outcome) await this.wake(outcome.wake);
    return outcome;
  }

  async #resume({ runId }: Wake): Promise<void> {
    const { stores, lease } = this.#settings;
    const claim = await stores.runs.claim(runId, this.ownerId, lease.ttlMs);
    if (!claim) return;
    this.#onClaim();
    await this.drive(claim);
  }

  async #drive(claim: Claim): Promise<void> {
    const { clock } = this.#settings;
    const run = new OwnedRun(claim, this.#settings);
    const cancelDeadline = clock.schedule(
      () => run.stop('deadline'),
      Math.max(0, run.record.deadlineAt - claim.now),
    );
    run.signal.addEventListener('abort', cancelDeadline, { once: true });
    this.leases.add(run);
    if (this.#drained) run.stop('shutdown');
    try {
      // Loaded with the first run: a process that only reads or decides does without.
      const { runLoop } = await import('./run-loop.ts');
      await runLoop(run);
      await run.log.close();
    } catch (reason) {
      // Nothing could be written: the lease runs out and a sweep brings the run to its next owner.
      process.emitWarning(`Steward could not end run ${run.fence.runId}: ${String(reason)}`);
    } finally {
      cancelDeadline();
      this.leases.remove(run);
    }
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
      await this.wake(await this.#settings.stores.runs.sweep({ queuedForMs, limit: 100 }));
    } catch {
      // The store cannot be reached; the next sweep finds the same runs.
    }
    if (this.#stopped) return;
    const { clock, lease } = this.#settings;
    // Jitter keeps the sweeps of several processes apart.
    const ms = lease.sweepMs * (0.75 + Math.random() / 2);
    this.#cancelSweep = clock.schedule(() => void this.#sweep(5_000), ms, { background: true });
  }
}
