import { expect, test } from 'vitest';
import { fakeClock } from '../../src/testing/fake-clock.ts';

test('stands still until it is moved, then calls timers in order, each at its own time', async () => {
  const clock = fakeClock(1_000);
  const rang: [string, number][] = [];
  const ring = (name: string) => () => void rang.push([name, clock.now()]);
  clock.schedule(ring('late'), 300);
  clock.schedule(ring('early'), 100);
  clock.schedule(ring('second at the same time'), 100);
  const cancel = clock.schedule(ring('cancelled'), 200);
  cancel();
  expect(clock.pending).toEqual([100, 100, 300]);

  await clock.advance(250);
  expect(rang).toEqual([
    ['early', 1_100],
    ['second at the same time', 1_100],
  ]);
  expect(clock.now()).toBe(1_250);
  expect(clock.pending).toEqual([50]);

  await clock.advance(50);
  expect(rang.at(-1)).toEqual(['late', 1_300]);
  expect(clock.pending).toEqual([]);
});

test('lets promises settle between timers, so that what they schedule falls due on the way', async () => {
  const clock = fakeClock();
  const ticks: number[] = [];
  const started = clock.now();
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.schedule(resolve, ms));
  const loop = (async () => {
    for (let i = 0; i < 5; i++) {
      await sleep(10);
      await Promise.resolve();
      ticks.push(clock.now() - started);
    }
  })();
  await clock.advance(50);
  await loop;
  expect(ticks).toEqual([10, 20, 30, 40, 50]);
});

test('a timer that throws is thrown by advance', async () => {
  const clock = fakeClock();
  clock.schedule(() => {
    throw new Error('boom');
  }, 1);
  await expect(clock.advance(1)).rejects.toThrow('boom');
  await clock.advance(1);
});

test('refuses a second advance while one is running, and times that are none', async () => {
  const clock = fakeClock();
  const first = clock.advance(10);
  await expect(clock.advance(10)).rejects.toThrow('still running');
  await first;
  await expect(clock.advance(-1)).rejects.toThrow(TypeError);
  expect(() => fakeClock(Number.NaN)).toThrow('start must be a number of milliseconds');
});
