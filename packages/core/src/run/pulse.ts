import type { Clock } from '../internal/clock.ts';

const pulseMs = 2_000;

/**
 * One slow beat shared by all readers that wait: each beat they compare what they saw with the store, so a lost message
 * delays them and never strands them. While somebody waits, the process stays alive.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #sleepers = new Set<() => void>();
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the function that `sleep` is given is called with, or `pulse` at the next beat. */
  during<T>(sleep: (wake: (why: T) => void) => void): Promise<T | 'pulse'> {
    return new Promise((resolve) => {
      const onBeat = () => wake('pulse');
      const wake = (why: T | 'pulse') => {
        this.#sleepers.delete(onBeat);
        if (this.#sleepers.size === 0) this.#stop();
        resolve(why);
      };
      this.#sleepers.add(onBeat);
      this.#cancel ??= this.#clock.schedule(() => this.kick(), pulseMs);
      sleep(wake);
    });
  }

  /** Beats now. */
  kick(): void {
    this.#stop();
    for (const onBeat of this.#sleepers) onBeat();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
