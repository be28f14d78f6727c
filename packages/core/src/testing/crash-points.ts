import {
  type CrashPointHook,
  type CrashPointName,
  crashPointNames,
} from '../internal/crash-point.ts';

const variable = 'STEWARD_CRASH_POINT';

/** Lets a part of a process "die" at a named moment; see {@link crashPoints}. */
export interface CrashPoints {
  /** The option `crashPoint` of the assistant that shall die. */
  readonly hook: CrashPointHook;
  /** Dies when `name` is reached for the `nth` time from now on (default: the first). Several may be armed. */
  arm(name: CrashPointName, nth?: number): void;
  /** Every point reached so far, in order. */
  readonly reached: readonly CrashPointName[];
  /** Settles with the point at which it died. */
  readonly died: Promise<CrashPointName>;
  /**
   * The port (a store, a limiter) as the process that shall die sees it: from its death on no call gets through and no
   * answer comes back, so that it renews no lease and writes nothing. For ports whose methods return promises.
   */
  sever<T extends object>(port: T): T;
}

/**
 * Crash points in one process: where an armed point is reached, the promise of the run never settles again, as if the
 * process had stopped; nothing is thrown, cleaned up or written. A second assistant over the same store then has to
 * recover. Use it to show that no effect is repeated and no run lost.
 * Throws a `TypeError` for an unknown name. (A kill of a real process needs a durable store.)
 *
 * @example
 * ```ts
 * import { crashPoints } from '@steward/core/testing';
 *
 * const points = crashPoints();
 * points.arm('after_effect'); // the tool had its effect, its result was not stored
 * // new Assistant({ ..., crashPoint: points.hook, stores: { ...stores, runs: points.sever(stores.runs) } })
 * console.log(points.reached);
 * ```
 */
export function crashPoints(): CrashPoints {
  const armed = new Map<CrashPointName, number>();
  const reached: CrashPointName[] = [];
  let dead = false;
  let die: (name: CrashPointName) => void = () => {};
  const died = new Promise<CrashPointName>((resolve) => {
    die = resolve;
  });

  const hook: CrashPointHook = (name) => {
    if (dead) return never();
    reached.push(name);
    const left = armed.get(name);
    if (left === undefined) return;
    armed.set(name, left - 1);
    if (left > 1) return;
    dead = true;
    die(name);
    return never();
  };

  return {
    hook,
    arm(name, nth = 1) {
      if (!isPoint(name)) {
        throw unknownPoint('name', name);
      }
      if (!Number.isInteger(nth) || nth < 1) {
        throw new TypeError(`nth must be a whole number from 1, got ${nth}`);
      }
      armed.set(name, nth);
    },
    get reached() {
      return [...reached];
    },
    died,
    sever: (port) => severed(port, () => dead),
  };
}

/**
 * The option `crashPoint` of an assistant whose process shall be killed as the environment says: with
 * `STEWARD_CRASH_POINT=after_effect` it dies by SIGKILL when it reaches that point, with `after_effect:3` at the third
 * time. Without the variable it does nothing. Use it in the program that you put through a fail-over; an assistant
 * that was not given it never dies of the variable.
 * Throws a `TypeError` that names the variable for an unknown point or count.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel } from '@steward/core';
 * import { crashPointFromEnvironment } from '@steward/core/testing';
 *
 * export const assistant = new Assistant({ model: demoModel(), crashPoint: crashPointFromEnvironment() });
 * ```
 */
export function crashPointFromEnvironment(): CrashPointHook {
  const given = process.env[variable];
  if (given === undefined || given === '') return () => {};
  const [name = '', count = '1', ...rest] = given.split(':');
  if (!isPoint(name)) throw unknownPoint(variable, name);
  if (!/^[1-9]\d*$/.test(count) || rest.length > 0) {
    throw new TypeError(`${variable} must be a point or point:count, got ${given}`);
  }
  let left = Number(count);
  return (reached) => {
    if (reached !== name || --left > 0) return;
    process.kill(process.pid, 'SIGKILL');
    return never();
  };
}

function isPoint(name: string): name is CrashPointName {
  return (crashPointNames as readonly string[]).includes(name);
}

function unknownPoint(field: string, name: string): TypeError {
  return new TypeError(`${field} must be one of ${crashPointNames.join(', ')}, got ${name}`);
}

/** Passes calls on while `isDead` says no; an answer that arrives after the death is not delivered. */
function severed<T extends object>(port: T, isDead: () => boolean): T {
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (isDead()) return never();
        const answer: unknown = Reflect.apply(member, target, args);
        return answer instanceof Promise ? delivered(answer, isDead) : answer;
      };
    },
  });
}

async function delivered(answer: Promise<unknown>, isDead: () => boolean): Promise<unknown> {
  await Promise.allSettled([answer]);
  return isDead() ? never() : answer;
}

function never(): Promise<never> {
  return new Promise(() => {});
}
