import type { Clock } from '../internal/clock.ts';
import type { Hint } from '../stores/hints.ts';
import type { Renewal, RunRecord, RunStore } from '../stores/run-store.ts';
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
  /** What this owner has heard of: it looks again when there is more. */
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
  /** When the store was last known to count us as the owner. */
  #trustedSince = 0;
  #isRenewing = false;
  #isStopped = false;
  #cancelBeat: (() => void) | null = null;
  #cancelFence: (() => void) | null = null;

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
    // This process itself may have let the lease run out: what it did under the old epoch ends here.
    this.get(run.fence.runId)?.stop('fenced');
    this.#held.set(run.fence.runId, { run, ...heardOf(run.record) });
    this.#cancelBeat ??= this.#schedule();
    if (this.#cancelFence === null) this.#trust(performance.now());
    if (this.#isStopped) run.stop('shutdown');
  }

  remove(run: OwnedRun): void {
    if (this.get(run.fence.runId) === run) this.#held.delete(run.fence.runId);
    if (this.#held.size > 0) return;
    this.#cancelBeat?.();
    this.#cancelBeat = null;
    this.#cancelFence?.();
    this.#cancelFence = null;
  }

  /** Gives back everything that is held, and whatever comes now. */
  stopAll(): void {
    this.#isStopped = true;
    for (const { run } of this.#held.values()) run.stop('shutdown');
  }

  /** Lets go of what did not come to its end: it may not write any more, and keeps no process alive. */
  abandonAll(): void {
    for (const { run } of this.#held.values()) {
      run.stop('fenced');
      this.remove(run);
    }
  }

  /** Looks now what others asked of a run that is held here. */
  async refresh(runId: string): Promise<void> {
    const held = this.#held.get(runId);
    if (!held) return;
    const stored = await this.#parts.runs.load(runId, null);
    if (!stored || stored.epoch !== held.run.fence.epoch) return;
    if (stored.cancelRequested) held.run.stop('cancelled');
    held.run.hear(stored);
    Object.assign(held, heardOf(stored));
  }

  /** As {@link refresh}, of what is held of a conversation. What fails here is heard with the next beat. */
  async refreshConversation(asked: Extract<Hint, { conversationId: string }>): Promise<void> {
    for (const { run } of this.#held.values()) {
      const { tenantId, userId, conversationId, runId } = run.record;
      const isOfIt = conversationId === asked.conversationId && userId === asked.userId;
      if (isOfIt && tenantId === asked.tenantId) await this.refresh(runId).catch(() => undefined);
    }
  }

  /** Somebody in another process says that there is something to hear. Without it the next beat would tell. */
  hear(hint: Exclude<Hint, { claimedRunId: string }>): void {
    if ('runId' in hint) this.refresh(hint.runId).catch(() => undefined);
    else void this.refreshConversation(hint);
  }

  #schedule(): () => void {
    return this.#parts.clock.schedule(() => this.#beat(), this.#parts.lease.beatMs);
  }

  #beat(): void {
    this.#cancelBeat = this.#schedule();
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    this.#renew()
      // The store cannot be reached: the next beat tries again, until the lease is too old to be trusted.
      .catch(() => undefined)
      .finally(() => {
        this.#isRenewing = false;
      });
  }

  async #renew(): Promise<void> {
    // What was given up is not kept from others.
    const before = [...this.#held.values()].filter(({ run }) => run.stopCause !== 'fenced');
    const asked = performance.now();
    const fences = before.map(({ run }) => run.fence);
    const renewals = await this.#parts.runs.renew(fences, this.#parts.lease.ttlMs);
    // An answer that comes late says less than what was heard since.
    if (this.#held.size > 0 && asked > this.#trustedSince) this.#trust(asked);
    await this.#heed(before, new Map(renewals.map((renewal) => [renewal.runId, renewal])));
  }

  async #heed(before: readonly Held[], renewals: ReadonlyMap<string, Renewal>): Promise<void> {
    for (const held of before) {
      const { runId } = held.run.fence;
      if (this.#held.get(runId) !== held) continue;
      const renewal = renewals.get(runId);
      if (!renewal) held.run.stop('fenced');
      else if (hasNews(held, renewal)) await this.refresh(runId);
    }
  }

  /** The leases were renewed then: a beat before they run out, nobody here relies on them any more. */
  #trust(since: number): void {
    this.#cancelFence?.();
    this.#trustedSince = since;
    const { clock, lease } = this.#parts;
    const age = performance.now() - since;
    const left = Math.max(0, lease.ttlMs - lease.beatMs - age);
    this.#cancelFence = clock.schedule(() => this.#fenceAll(), left);
  }

  #fenceAll(): void {
    this.#cancelFence = null;
    for (const { run } of this.#held.values()) run.stop('fenced');
  }
}

function hasNews(held: Held, renewal: Renewal): boolean {
  const { cancelRequested, steerCount, answerCount } = renewal;
  if (cancelRequested) return held.run.stopCause === null;
  return steerCount !== held.steerCount || answerCount !== held.answerCount;
}

function heardOf({ steers, inputs }: RunRecord): Omit<Held, 'run'> {
  const answers = inputs.filter((input) => input.answeredAt !== null);
  return { steerCount: steers.length, answerCount: answers.length };
}
