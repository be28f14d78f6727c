import assert from 'node:assert/strict';
import type { RunEngine } from '../../engine/run-engine.ts';
import type { Wake } from '../../stores/run-store.ts';
import { atOnce, eventually, gate } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** How the suite gets hold of an engine. It drains for 300 ms at most, by the engine's own clock. */
export type RunEngineDriver<S extends RunEngine> = Omit<SuiteDriver<S>, 'reopen' | 'passTime'>;

const nameOf = ({ runId, segment }: Wake) => `${runId}/${segment}`;
const wake = (runId: string, segment = 1): Wake => ({ runId, segment });
const long = 60_000;

/** Everything that a RunEngine promises. */
export const runEngineCases: readonly SuiteCase<RunEngine>[] = [
  {
    title: 'hands every segment to the handler, whether it was enqueued before or after the start',
    async run({ store: engine }) {
      const handled: string[] = [];
      await engine.enqueue(wake('run-1'));
      await engine.start(async (segment) => {
        handled.push(nameOf(segment));
      });
      await engine.enqueue(wake('run-2', 3));
      await eventually('both are handled', () => handled.length >= 2);
      assert.deepEqual(handled.toSorted(), ['run-1/1', 'run-2/3']);
      await engine.stop(long);
    },
  },
  {
    title: 'takes a segment once while it is queued or running, and again after that',
    async run({ store: engine }) {
      const handled: string[] = [];
      const { opened, open } = gate();
      await atOnce(5, () => engine.enqueue(wake('run-1')));
      assert.equal(engine.stats().queued, 1);
      await engine.start(async (segment) => {
        handled.push(nameOf(segment));
        await opened;
      });
      await eventually('it runs', () => handled.length === 1);
      await engine.enqueue(wake('run-1'));
      await engine.enqueue(wake('run-1', 2));
      await eventually('the other segment runs', () => handled.length === 2);
      open();
      await eventually('both have ended', () => engine.stats().running === 0);
      await engine.enqueue(wake('run-1'));
      await eventually('it runs again', () => handled.length === 3);
      assert.deepEqual(handled, ['run-1/1', 'run-1/2', 'run-1/1']);
      await engine.stop(long);
    },
  },
  {
    title: 'runs segments side by side and counts them',
    async run({ store: engine }) {
      let started = 0;
      const { opened, open } = gate();
      await engine.start(async () => {
        started += 1;
        if (started === 10) open();
        await opened;
      });
      await atOnce(10, (index) => engine.enqueue(wake(`run-${index}`)));
      await opened;
      await eventually('nothing is left', () => {
        const { queued, running } = engine.stats();
        return queued === 0 && running === 0;
      });
      await engine.stop(long);
    },
  },
  {
    title: 'loses none of 500 segments',
    async run({ store: engine }) {
      const handled = new Set<string>();
      await engine.start(async (segment) => {
        handled.add(nameOf(segment));
      });
      await atOnce(500, (index) => engine.enqueue(wake(`run-${index}`)));
      await eventually('all are handled', () => handled.size === 500);
      await engine.stop(long);
    },
  },
  {
    title: 'waits for running segments when it stops, and does not disturb them in the drain time',
    async run({ store: engine }) {
      const { opened, open } = gate();
      let end = '';
      await engine.start(async (_, signal) => {
        await opened;
        end = signal.aborted ? 'aborted' : 'undisturbed';
      });
      await engine.enqueue(wake('run-1'));
      await eventually('it runs', () => engine.stats().running === 1);
      const stopped = engine.stop(long);
      open();
      await stopped;
      assert.equal(end, 'undisturbed');
      assert.equal(engine.stats().running, 0);
    },
  },
  {
    title: 'aborts what still runs after the drain time, and waits for it',
    async run({ store: engine }) {
      let end = '';
      await engine.start(async (_, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        end = 'aborted';
      });
      await engine.enqueue(wake('run-1'));
      await eventually('it runs', () => engine.stats().running === 1);
      await engine.stop(30);
      assert.equal(end, 'aborted');
    },
  },
  {
    title: 'takes what is given back while it stops, and stops only after that',
    async run({ store: engine }) {
      const { opened, open } = gate();
      let isStopped = false;
      await engine.start(async () => {});
      const stopped = engine.stop(0, opened).then(() => {
        isStopped = true;
      });
      for (let segment = 1; segment <= 20; segment++) {
        await assert.doesNotReject(engine.enqueue(wake('run-1', segment)));
        await new Promise(setImmediate);
      }
      assert.equal(isStopped, false);
      open();
      await stopped;
    },
  },
  {
    title: 'begins nothing after it was told to stop',
    async run({ store: engine }) {
      const handled: string[] = [];
      await engine.start(async (segment) => {
        handled.push(nameOf(segment));
      });
      await engine.stop(long);
      await engine.enqueue(wake('run-1')).catch(() => undefined);
      assert.deepEqual(handled, []);
      assert.equal(engine.stats().running, 0);
    },
  },
];

/**
 * Registers the conformance tests of a {@link RunEngine} with vitest. Call and await it at the top of a test file of your
 * implementation.
 *
 * @example
 * ```ts
 * import { InProcessEngine } from '@steward/core';
 * import { testRunEngine } from '@steward/core/testing';
 *
 * await testRunEngine('InProcessEngine', {
 *   open: async () => new InProcessEngine(),
 *   close: (engine) => engine.stop(0),
 * });
 * ```
 */
export async function testRunEngine<S extends RunEngine>(
  name: string,
  driver: RunEngineDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a RunEngine`, runEngineCases, engineDriver(driver));
}

/** An engine has no data to open a second time and no clock to move. */
export function engineDriver<S extends RunEngine>(driver: RunEngineDriver<S>): SuiteDriver<S> {
  return { ...driver, reopen: () => driver.open(), passTime: async () => {} };
}
