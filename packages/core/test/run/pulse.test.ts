import { describe, expect, it } from 'vitest';
import { Pulse } from '../../src/run/pulse.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';

/** A pulse whose timers are counted, and somebody who counts its beats and joins again `until` so many. */
function pulseWith(until = Number.POSITIVE_INFINITY) {
  const clock = fakeClock();
  const timers = new Set<() => void>();
  const pulse = new Pulse({
    now: () => clock.now(),
    schedule(fn, ms) {
      timers.add(fn);
      const cancel = clock.schedule(() => {
        timers.delete(fn);
        fn();
      }, ms);
      return () => {
        timers.delete(fn);
        cancel();
      };
    },
  });
  const sleeper = {
    runId: 'run_1',
    hear: () => {},
    beats: 0,
    beat() {
      sleeper.beats += 1;
      if (sleeper.beats < until) pulse.join(sleeper);
    },
  };
  return { clock, pulse, sleeper, timers: () => timers.size };
}

describe('the pulse', () => {
  it('beats for whoever joins again, however often it joined before a beat', async () => {
    const { clock, pulse, sleeper, timers } = pulseWith();
    for (let wait = 0; wait < 100; wait += 1) pulse.join(sleeper);
    expect(timers()).toBe(1);
    await clock.advance(10_000);
    expect(sleeper.beats).toBe(5);
  });

  it('keeps no timer for who does not wait at a beat', async () => {
    const { clock, pulse, sleeper, timers } = pulseWith(1);
    pulse.join(sleeper);
    await clock.advance(10_000);
    expect([sleeper.beats, timers()]).toEqual([1, 0]);
  });

  it('keeps no timer once everybody has left', async () => {
    const { clock, pulse, sleeper, timers } = pulseWith();
    const other = { runId: 'run_2', beat: () => {}, hear: () => {} };
    pulse.join(sleeper);
    pulse.join(other);
    pulse.leave(sleeper);
    expect(timers()).toBe(1);
    pulse.leave(other);
    expect(timers()).toBe(0);
    await clock.advance(10_000);
    expect(sleeper.beats).toBe(0);
  });
});
