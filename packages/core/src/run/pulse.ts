import type { Clock } from '../internal/clock.ts';

const pulseMs = 2_000;

/**
 * One slow beat shared by all readers that wait: each beat they compare what they saw with the store, so a lost message
 * delays them and never strands them. While somebody waits, the process stays alive.
 */
export class Pulse {
  readonly #clock: Clock;
  #waiting = 0;
  #beat = Promise.withResolvers<'pulse'>();
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `awaited` comes to, or `pulse` at the next beat. */
  async during<T>(awaited: Promise<T>): Promise<T | 'pulse'> {
    this.#waiting += 1;
    this.#cancel ??= this.#clock.schedule(() => this.kick(), pulseMs);
    try {
      return await Promise.race([awaited, this.#beat.promise]);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        this.#cancel?.();
        this.#cancel = null;
      }
    }
  }

  /** Beats now. */
  kick(): void {
    this.#cancel?.();
    const { resolve } = this.#beat;
    this.#beat = Promise.withResolvers<'pulse'>();
    this.#cancel = this.#waiting > 0 ? this.#clock.schedule(() => this.kick(), pulseMs) : null;
    resolve('pulse');
  }
}
