import type { Clock } from '../internal/clock.ts';
import type { Limits } from './run-settings.ts';

/** What a {@link TurnWatch} tells. */
export interface TurnWatchListener {
  /** Nothing came for too long. `started`: the provider had accepted the request. */
  silent(started: boolean): void;
  /** A second (or less) has passed. */
  tick(): void;
}

const longestTickMs = 1_000;

/**
 * Watches one turn for silence. Each event only sets a flag; a slow tick compares it with the limit of the phase:
 * until the provider accepts, until the first piece, between pieces.
 */
export class TurnWatch {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #listener: TurnWatchListener;
  readonly #tickMs: number;
  #limitMs: number;
  #started = false;
  #active = false;
  #lastActive: number;
  #cancel: () => void;

  constructor(clock: Clock, limits: Limits, listener: TurnWatchListener) {
    this.#clock = clock;
    this.#limits = limits;
    this.#listener = listener;
    this.#limitMs = limits.connectTimeoutMs;
    const shortest = Math.min(
      limits.connectTimeoutMs,
      limits.firstTokenTimeoutMs,
      limits.betweenTokensTimeoutMs,
    );
    this.#tickMs = Math.max(1, Math.min(longestTickMs, shortest / 4));
    this.#lastActive = clock.now();
    this.#cancel = this.#schedule();
  }

  /** The provider accepted the request. */
  started(): void {
    this.#started = true;
    this.#limitMs = this.#limits.firstTokenTimeoutMs;
    this.#active = true;
  }

  /** A piece of the answer came. */
  piece(): void {
    this.#limitMs = this.#limits.betweenTokensTimeoutMs;
    this.#active = true;
  }

  /** The turn is over. */
  end(): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.schedule(() => this.#look(), this.#tickMs);
  }

  #look(): void {
    const now = this.#clock.now();
    if (this.#active) {
      this.#active = false;
      this.#lastActive = now;
    }
    if (now - this.#lastActive >= this.#limitMs) {
      this.#listener.silent(this.#started);
      return;
    }
    this.#cancel = this.#schedule();
    this.#listener.tick();
  }
}
