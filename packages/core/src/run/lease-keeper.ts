import type { Clock } from '../internal/clock.ts';
import type { Renewal, RunStore } from '../stores/run-store.ts';
import type { OwnedRun } from './owned-run.ts';
import type { Lease } from './run-settings.ts';

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperParts {
  readonly runs: RunStore;
  readonly clock: Clock;
  readonly lease: Lease;
}

interface Held {
  readonly run: OwnedRun;
  steerCount: number;
  answerCount: number;
}

/**
 * Keeps the runs of this process its own: one statement per beat renews them all and tells what others asked of them
 * (cancel, steer, answers). A run that is lost, or that could not be renewed in time, is stopped as fenced.
 */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #held = new Map<string, Held>();
  #lastRenewed = 0;
  #cancelBeat: (() => void) | null = null;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The run, if this process owns it. */
  get(runId: string): OwnedRun | undefined {
    return this.#held.get(runId)?.run;
  }

  add(run: OwnedRun): void {
    if (this.#held.size === 0) this.#lastRenewed = performance.now();
    const answered = run.record.inputs.filter((input) => input.status === 'answered');
    this.#held.set(run.fence.runId, {
      run,
      steerCount: run.record.steers.length,
      answerCount: answered.length,
    });
    this.#cancelBeat ??= this.#schedule();
  }

  remove(run: OwnedRun): void {
    if (this.get(run.fence.runId) === run) this.#held.delete(run.fence.runId);
    if (this.#held.size > 0) return;
    this.#cancelBeat?.();
    this.#cancelBeat = null;
  }

  /** Stops everything that is held. */
  stopAll(cause: 'shutdown'): void {
    for (const { run } of this.#held.values()) run.stop(cause);
  }

  /** Looks now what others asked of a run that is held here. */
  async refresh(runId: string): Promise<void> {
    const held = this.#held.get(runId);
    if (!held) return;
    const stored = await this.#parts.runs.load(runId, null);
    if (!stored || stored.epoch !== held.run.fence.epoch) return;
    if (stored.cancelRequested) held.run.stop('cancelled');
    held.run.steers = stored.steers;
    held.run.deliverAnswers(stored);
  }

  #schedule(): () => void {
    return this.#parts.clock.schedule(() => void this.#beat(), this.#parts.lease.beatMs);
  }

  async #beat(): Promise<void> {
    const { runs, lease } = this.#parts;
    const before = [...this.#held.values()];
    try {
      const fences = before.map(({ run }) => run.fence);
      const renewals = await runs.renew(fences, lease.ttlMs);
      this.#lastRenewed = performance.now();
      await this.#heed(before, new Map(renewals.map((renewal) => [renewal.runId, renewal])));
    } catch {
      // The store cannot be reached: the next beat tries again, until the lease is too old to be trusted.
      this.#fenceIfTooOld(before);
    }
    if (this.#held.size > 0) this.#cancelBeat = this.#schedule();
    else this.#cancelBeat = null;
  }

  async #heed(before: readonly Held[], renewals: ReadonlyMap<string, Renewal>): Promise<void> {
    for (const held of before) {
      const { runId } = held.run.fence;
      if (this.#held.get(runId) !== held) continue;
      const renewal = renewals.get(runId);
      if (!renewal) held.run.stop('fenced');
      else if (this.#news(held, renewal)) await this.refresh(runId);
    }
  }

  #news(held: Held, renewal: Renewal): boolean {
    const { steerCount, answerCount } = renewal;
    const news =
      renewal.cancelRequested || steerCount !== held.steerCount || answerCount !== held.answerCount;
    held.steerCount = steerCount;
    held.answerCount = answerCount;
    return news;
  }

  #fenceIfTooOld(before: readonly Held[]): void {
    const { ttlMs, beatMs } = this.#parts.lease;
    if (performance.now() - this.#lastRenewed < ttlMs - beatMs) return;
    for (const { run } of before) run.stop('fenced');
  }
}
