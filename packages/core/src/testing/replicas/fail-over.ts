import { setTimeout as wait } from 'node:timers/promises';
import { isTerminal, type RunEvent } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import { brokenPromises } from '../oracle/broken-promises.ts';
import type { BrokenPromise, RunEvidence } from '../oracle/evidence.ts';
import { Outside, type OutsideRequest } from './outside.ts';
import { planned, type ReplicaPlan } from './plan.ts';
import { type ProcessEnd, type Replica, ReplicaGone, startReplica } from './replica.ts';

/** Settings of {@link failOver}. */
export interface FailOverOptions {
  /** The URL of the set-up module. */
  readonly setUp: string;
  /** Given to the set-up. */
  readonly settings?: Json;
  /** Where the owners die, one after the other: crash points, or `point:count`. After them comes one that lives. */
  readonly deaths: readonly string[];
  /** What a person does: approves what is asked (default), cancels at the first word, or replaces the first process. */
  readonly person?: 'approves' | 'cancels' | 'replaces';
  /** What the model does; by default a turn that calls a tool of each effect, and an answer. */
  readonly plan?: ReplicaPlan;
  /** Longest time without an owner that is acceptable, in milliseconds; 15,000 by default, for the default lease. */
  readonly recoverWithinMs?: number;
  /** Options of Node for the processes; those of this one by default. */
  readonly execArgv?: readonly string[];
}

/** What came of a fail-over. */
export interface FailOverReport {
  readonly runId: string;
  /** Which of the deaths happened: an owner that never reaches its point lives. */
  readonly died: readonly string[];
  /** What the stores have of the run; `null` when it is lost. */
  readonly evidence: RunEvidence | null;
  /** What the tools asked of the outside. */
  readonly requests: readonly OutsideRequest[];
  /** Milliseconds from each death until the client saw what a later owner did; the start of its process is not in it. */
  readonly recoveries: readonly number[];
  /** What does not hold; empty when all is well. */
  readonly broken: readonly BrokenPromise[];
}

const rereadMs = 50;
const defaultRecoverWithinMs = 15_000;
/** How long a replica gets for the run itself. */
const patienceMs = 60_000;
const reader = { tenantId: 'default', userId: 'local' };
const plans: Readonly<Record<NonNullable<FailOverOptions['person']>, ReplicaPlan>> = {
  approves: { calls: [['read', 'write_idempotent', 'write']] },
  cancels: { words: 500, wordMs: 10 },
  replaces: { words: 40, wordMs: 10 },
};

/**
 * The fail-over test, for your own set-up: a run with a tool of each effect, whose owner is killed (SIGKILL) at a point,
 * and the one that takes over at another, as you say; a client reads through all of it and comes back where it left.
 * Then the oracle looks at what the stores, the outside and the client have ({@link brokenPromises}). It needs stores
 * that outlive a process, and takes as long as your lease.
 *
 * @throws Error when a process cannot be started.
 * @example
 * ```ts
 * import { failOver } from '@steward/core/testing';
 *
 * const setUp = new URL('./my-set-up.js', import.meta.url).href;
 * const { broken, died } = await failOver({ setUp, deaths: ['after_effect', 'before_finish'] });
 * console.log(died, broken);
 * ```
 */
export async function failOver(options: FailOverOptions): Promise<FailOverReport> {
  const test = new FailOver(options);
  try {
    return await test.run();
  } finally {
    await test.end();
  }
}

class FailOver {
  readonly #options: FailOverOptions;
  readonly #outside = new Outside();
  readonly #events: RunEvent[] = [];
  /** Asked, and not yet known to be decided. */
  readonly #pending = new Map<string, string>();
  readonly #died: string[] = [];
  readonly #incidents: string[] = [];
  readonly #recoveries: number[] = [];
  readonly #replicas: Promise<Replica>[];
  #epoch = 0;
  #diedAt: number | undefined;
  #isReplaced = false;
  #runId = '';

  constructor(options: FailOverOptions) {
    this.#options = options;
    // All are there before the first one dies: what is measured is not how a process starts.
    this.#replicas = [...options.deaths, undefined].map((crashPoint) =>
      startReplica({ ...options, outside: this.#outside, crashPoint }),
    );
  }

  async run(): Promise<FailOverReport> {
    const replicas = await Promise.all(this.#replicas);
    for (const [index, replica] of replicas.entries()) {
      const evidence = await this.#live(replica).catch(unlessGone);
      if (evidence) return this.#report(evidence);
      this.#bury(await replica.ended, this.#options.deaths[index]);
      this.#incidents.push(...replica.incidents);
    }
    return this.#report([]);
  }

  async end(): Promise<void> {
    const started = await Promise.allSettled(this.#replicas);
    for (const one of started) if (one.status === 'fulfilled') await one.value.kill('SIGKILL');
  }

  /** What this replica brings about: the end of the run, or its own. */
  async #live(replica: Replica): Promise<readonly RunEvidence[] | undefined> {
    await replica.begin();
    if (this.#runId === '') {
      const { person = 'approves', plan = plans[person] } = this.#options;
      this.#runId = await replica.run(planned(plan));
    }
    for (const [callId, argsDigest] of this.#pending) this.#confirm(replica, callId, argsDigest);
    const { recoverWithinMs = defaultRecoverWithinMs } = this.#options;
    const giveUp = wait(recoverWithinMs + patienceMs, 'given up' as const, { ref: false });
    while (!replica.end) {
      const outcome = await Promise.race([this.#read(replica), giveUp]);
      // A run that does not end is for the oracle to judge.
      if (outcome !== undefined) return replica.evidence([this.#runId]);
      // It closes, or cannot reach its stores.
      await Promise.race([replica.ended, wait(rereadMs)]);
    }
    return undefined;
  }

  /** Reads on from where the client is; `ended` when it has seen the end. */
  async #read(replica: Replica): Promise<'ended' | undefined> {
    const hasEnded = () => this.#events.some(isTerminal);
    if (hasEnded()) return 'ended';
    const after = this.#events.at(-1)?.cursor ?? null;
    await replica.read(this.#runId, after, (event) => this.#see(replica, event));
    return hasEnded() ? 'ended' : undefined;
  }

  #see(replica: Replica, event: RunEvent): void {
    this.#noteOwner(event);
    this.#events.push(event);
    if (event.type === 'tool_request' && event.requiresConfirmation) {
      this.#ask(replica, event.callId, event.argsDigest);
    } else if (event.type === 'snapshot') {
      for (const { callId, argsDigest } of event.confirmations) {
        this.#ask(replica, callId, argsDigest);
      }
    } else if (event.type === 'confirmation') this.#pending.delete(event.callId);
    else if (event.type === 'token') this.#interfere(replica);
  }

  /** A new owner shows by its epoch; what the stores tell of the run before that does not count. */
  #noteOwner({ cursor }: RunEvent): void {
    const epoch = Number(cursor.split('-', 1)[0]);
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    if (this.#diedAt !== undefined) this.#recoveries.push(performance.now() - this.#diedAt);
    this.#diedAt = undefined;
  }

  #ask(replica: Replica, callId: string, argsDigest: string): void {
    this.#pending.set(callId, argsDigest);
    this.#confirm(replica, callId, argsDigest);
  }

  /** Said again to the next replica when nobody knows whether it was heard. */
  #confirm(replica: Replica, callId: string, argsDigest: string): void {
    replica.confirm(this.#runId, callId, argsDigest).catch(() => undefined);
  }

  #interfere(replica: Replica): void {
    const { person } = this.#options;
    if (person === 'cancels') replica.cancel(this.#runId).catch(() => undefined);
    if (person !== 'replaces' || this.#isReplaced) return;
    this.#isReplaced = true;
    replica.close().catch(() => undefined);
  }

  #bury({ signal, ordered }: ProcessEnd, crashPoint: string | undefined): void {
    this.#diedAt = performance.now();
    if (ordered) return;
    if (crashPoint !== undefined && signal === 'SIGKILL') this.#died.push(crashPoint);
    else this.#incidents.push(`a replica ended unasked (${signal})`);
  }

  #report(runs: readonly RunEvidence[]): FailOverReport {
    const { recoverWithinMs = defaultRecoverWithinMs } = this.#options;
    const [runId, recoveries] = [this.#runId, this.#recoveries];
    const broken = brokenPromises({
      runs,
      accepted: [runId],
      effects: this.#outside.effects,
      readings: [{ runId, reader, events: this.#events }],
      recoveries: recoveries.map((ms) => ({ runId, ms })),
      recoverWithinMs,
      incidents: this.#incidents,
    });
    return {
      runId,
      died: this.#died,
      evidence: runs[0] ?? null,
      requests: this.#outside.requests,
      recoveries,
      broken,
    };
  }
}

function unlessGone(reason: unknown): undefined {
  if (!(reason instanceof ReplicaGone)) throw reason;
}
