import type { Clock } from '../internal/clock.ts';

/** How long a run may still take. The time in which it waits for a person does not count. */
export class RunDeadline {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #leftMs: number;
  #since = 0;
  /** Questions that wait for a person. */
  #suspensions = 0;
  #isOver = false;
  #cancelTimer: () => void = () => {};

  constructor(clock: Clock, leftMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#leftMs = leftMs;
    this.#onOver = onOver;
    this.#count();
  }

  /** Waits for a person. */
  async suspended<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#suspensions === 0) this.#stop();
    this.#suspensions += 1;
    try {
      return await wait();
    } finally {
      this.#suspensions -= 1;
      if (this.#suspensions === 0) this.#count();
    }
  }

  /** Nothing is limited any more. */
  end(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  #count(): void {
    if (this.#isOver) return;
    this.#since = this.#clock.now();
    this.#cancelTimer = this.#clock.schedule(this.#onOver, Math.max(0, this.#leftMs));
  }

  #stop(): void {
    this.#cancelTimer();
    this.#leftMs -= this.#clock.now() - this.#since;
  }
}
