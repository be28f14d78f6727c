import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CrashPointHook, crashPointNames } from '../../src/internal/crash-point.ts';
import { crashPointFromEnvironment, crashPoints } from '../../src/testing/crash-points.ts';

/** A "process" that passes two points and writes after each. */
async function pass(hook: CrashPointHook, written: string[]): Promise<void> {
  await hook('after_effect');
  written.push('effect');
  await hook('before_finish');
  written.push('finish');
}

test('a point that is not armed lets the run pass', async () => {
  const points = crashPoints();
  const written: string[] = [];
  await pass(points.hook, written);
  expect(written).toEqual(['effect', 'finish']);
  expect(points.reached).toEqual(['after_effect', 'before_finish']);
});

test('at an armed point the process stops for good, without an error', async () => {
  const points = crashPoints();
  const written: string[] = [];
  points.arm('after_effect', 2);
  await pass(points.hook, written);
  let settled = false;
  const second = pass(points.hook, written).finally(() => {
    settled = true;
  });
  expect(await points.died).toBe('after_effect');
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(settled).toBe(false);
  expect(written).toEqual(['effect', 'finish']);

  // The rest of the dead process stops too.
  void pass(points.hook, written);
  await setImmediate();
  expect(points.reached).toEqual(['after_effect', 'before_finish', 'after_effect']);
  void second;
});

test('a severed store takes nothing from the dead and answers nothing, and still serves the living', async () => {
  class Store {
    #rows: string[] = [];
    async put(row: string): Promise<number> {
      await setImmediate();
      return this.#rows.push(row);
    }
    async refuse(): Promise<never> {
      throw new Error('refused');
    }
    rows(): readonly string[] {
      return this.#rows;
    }
  }
  const store = new Store();
  const points = crashPoints();
  const seenByTheDying = points.sever(store);
  expect(await seenByTheDying.put('before')).toBe(1);
  await expect(seenByTheDying.refuse()).rejects.toThrow('refused');

  points.arm('after_start_call');
  const answers: unknown[] = [];
  void seenByTheDying.put('on its way').then((n) => answers.push(n));
  void points.hook('after_start_call');
  void seenByTheDying.put('after').then((n) => answers.push(n));
  for (let turn = 0; turn < 5; turn++) await setImmediate();

  expect(answers).toEqual([]);
  expect(store.rows()).toEqual(['before', 'on its way']);
  expect(await store.put('of another process')).toBe(3);
});

test('refuses names and counts that are none', () => {
  const points = crashPoints();
  for (const name of crashPointNames) points.arm(name);
  expect(() => points.arm('nowhere' as never)).toThrow('name must be one of after_create');
  expect(() => points.arm('after_effect', 0)).toThrow('nth must be a whole number from 1');
});

describe('a crash point in the environment', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** How a process ends whose environment says this, and what it wrote before. */
  async function end(given: string): Promise<[string | null, string]> {
    const program = `
      import { crashPointFromEnvironment } from '${new URL('../../src/testing/crash-points.ts', import.meta.url).href}';
      const hook = crashPointFromEnvironment();
      for (const name of ['after_effect', 'before_finish', 'after_effect', 'after_finish']) {
        await hook(name);
        process.stdout.write(name + ' ');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, STEWARD_CRASH_POINT: given },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let written = '';
    child.stdout.on('data', (text) => {
      written += String(text);
    });
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    return [signal, written];
  }

  test('kills the process there, at the count that it names', async () => {
    const all = 'after_effect before_finish after_effect after_finish ';
    expect(await Promise.all(['before_finish', 'after_effect:2', ''].map(end))).toEqual([
      ['SIGKILL', 'after_effect '],
      ['SIGKILL', 'after_effect before_finish '],
      [null, all],
    ]);
  });

  test.each(['nowhere', 'after_effect:0', 'after_effect:1:1', 'after_effect:x'])(
    'is refused as %s, with the name of the variable',
    (given) => {
      vi.stubEnv('STEWARD_CRASH_POINT', given);
      expect(() => crashPointFromEnvironment()).toThrow(/^STEWARD_CRASH_POINT must be /);
    },
  );
});
