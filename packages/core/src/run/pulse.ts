import type { Clock } from '../internal/clock.ts';

const pulseMs = 2_000;

/** Somebody who waits for something that may have been missed. */
export interface Sleeper {
  readonly runId: string;
  /** It is time to look. Whoever goes on waiting joins again. */
  beat(): void;
  /** The run has a new owner, who is about to say something. */
  hear(): void;
}

/**
 * One slow beat shared by all readers that wait: each beat they compare what they saw with the store, so a lost message
 * delays them and never strands them. Whoever has joined keeps the process alive, until it leaves or, awake, lets a
 * beat pass.
 */
export class Pulse {
  readonly #clock: Clock;
  #sleepers = new Set<Sleeper>();
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the sleeper with the next beat. Costs next to nothing for who has joined before it. */
  join(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    this.#cancel ??= this.#clock.schedule(() => this.kick(), pulseMs);
  }

  leave(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
    if (this.#sleepers.size === 0) this.#stop();
  }

  /** Beats for one of them after `ms`, unless what is returned is called first. */
  soon(sleeper: Sleeper, ms: number): () => void {
    return this.#clock.schedule(() => sleeper.beat(), ms);
  }

  /** Tells those who wait for the run that it has a new owner. */
  tell(runId: string): void {
    for (const sleeper of this.#sleepers) if (sleeper.runId === runId) sleeper.hear();
  }

  /** Beats now. */
  kick(): void {
    this.#stop();
    const woken = this.#sleepers;
    this.#sleepers = new Set();
    for (const sleeper of woken) sleeper.beat();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
