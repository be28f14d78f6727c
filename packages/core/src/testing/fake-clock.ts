import { setImmediate } from 'node:timers/promises';
import { StewardError } from '../errors/steward-error.ts';
import type { Clock } from '../internal/clock.ts';

/** Turns of the event loop given to promises and loopback I/O between two timers. */
const settleTurns = 5;

/** A {@link Clock} that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Milliseconds until each timer that waits, the soonest first. */
  readonly pending: readonly number[];
  /**
   * Moves the time on by `ms`. Timers that fall due are called in order, each at its own time, also those set on the
   * way; between two of them promises and I/O get some turns of the event loop. What a timer throws is thrown here.
   */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/**
 * A clock for tests of time-outs, leases and expiries: hours pass in microseconds, and always in the same order.
 * Use it as the `clock` option. `start` and `ms` are milliseconds; anything else is a `TypeError`.
 *
 * @example
 * ```ts
 * import { fakeClock } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * let rang = false;
 * clock.schedule(() => { rang = true; }, 60_000);
 * await clock.advance(59_999);
 * console.log(rang, clock.pending); // false, [1]
 * await clock.advance(1);
 * console.log(rang, clock.pending); // true, []
 * ```
 */
export function fakeClock(start = Date.UTC(2030, 0, 1)): FakeClock {
  requireMilliseconds('start', start);
  let time = start;
  let advancing = false;
  const timers = new Set<Timer>();
  const soonest = () => [...timers].toSorted((a, b) => a.at - b.at);

  async function runUntil(end: number): Promise<void> {
    await settle();
    for (let timer = soonest()[0]; timer && timer.at <= end; timer = soonest()[0]) {
      time = timer.at;
      timers.delete(timer);
      timer.fn();
      await settle();
    }
    time = end;
  }

  return {
    now: () => time,
    schedule(fn, ms) {
      const timer = { at: time + Math.max(0, ms), fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get pending() {
      return soonest().map((timer) => timer.at - time);
    },
    async advance(ms) {
      requireMilliseconds('ms', ms);
      if (advancing) {
        throw new StewardError(
          'invalid_argument',
          'advance() is still running; await it before the next one.',
        );
      }
      advancing = true;
      try {
        await runUntil(time + ms);
      } finally {
        advancing = false;
      }
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < settleTurns; turn++) await setImmediate();
}

function requireMilliseconds(field: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) {
    throw new TypeError(`${field} must be a number of milliseconds from 0, got ${value}`);
  }
}
