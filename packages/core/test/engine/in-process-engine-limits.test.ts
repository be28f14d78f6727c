import { expect, it, vi } from 'vitest';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { gate } from '../../src/testing/suites/assertions.ts';

it('runs no more segments at a time than it is allowed to', async () => {
  const engine = new InProcessEngine({ concurrency: 2 });
  const { opened, open } = gate();
  await engine.start(() => opened);
  for (const runId of ['a', 'b', 'c']) await engine.enqueue({ runId, segment: 1 });
  expect(engine.stats()).toEqual({ queued: 1, running: 2 });
  open();
  await expect.poll(() => engine.stats()).toEqual({ queued: 0, running: 0 });
  await engine.stop(0);
});

it('measures the drain time by the clock it was given', async () => {
  const clock = fakeClock();
  const engine = new InProcessEngine({ clock });
  await engine.start(
    (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  );
  await engine.enqueue({ runId: 'a', segment: 1 });
  const stopped = engine.stop(20_000);
  await clock.advance(20_000);
  await stopped;
  expect(clock.pending).toEqual([]);
});

it('goes on after a handler that throws, and warns', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const engine = new InProcessEngine();
  const handled: string[] = [];
  await engine.start(async ({ runId }) => {
    handled.push(runId);
    if (runId === 'a') throw new Error('a handler must not throw');
  });
  await engine.enqueue({ runId: 'a', segment: 1 });
  await engine.enqueue({ runId: 'b', segment: 1 });
  await expect.poll(() => engine.stats().running).toBe(0);
  expect(handled).toEqual(['a', 'b']);
  expect(warnings).toHaveBeenCalledOnce();
  warnings.mockRestore();
  await engine.stop(0);
});

it('refuses a second start, a start after the stop, and a concurrency that is no number of places', async () => {
  const engine = new InProcessEngine();
  await engine.start(async () => {});
  await expect(engine.start(async () => {})).rejects.toThrow(TypeError);
  await engine.stop(0);
  await expect(engine.start(async () => {})).rejects.toThrow('closed');
  for (const concurrency of [0, -1, 1.5, Number.NaN]) {
    expect(() => new InProcessEngine({ concurrency })).toThrow(TypeError);
  }
});
