import { afterAll, describe } from 'vitest';
import type { SuiteCase, SuiteDriver } from '../../../src/testing/suites/suite.ts';
import { catches } from './mutant.ts';

/** Ways to break a port, each with the case that has to notice. A case that `hangs` waits for what the mutant never does. */
export type Mutants<P> = Readonly<
  Record<string, readonly [caughtBy: string, breakage: (sound: P) => Partial<P>, hangs?: 'hangs']>
>;

/** The mutants of one port, for every implementation of it. */
export interface PortMutants<K extends string, P extends object> {
  /** Under this name drivers open it. */
  readonly port: K;
  readonly cases: readonly SuiteCase<Readonly<Record<K, P>>>[];
  readonly mutants: Mutants<P>;
}

/** Registers a test per mutant, made of a sound implementation. */
export function describeMutants<K extends string, P extends object, S extends Record<K, P>>(
  name: string,
  { port, cases, mutants }: PortMutants<K, P>,
  driver: SuiteDriver<S>,
): void {
  describe(`the suite of ${port} on ${name}`, () => {
    for (const [what, [caughtBy, breakage, hangs]] of Object.entries(mutants)) {
      const breakIt = (sound: P): P => ({ ...sound, ...breakage(sound) });
      const broken = brokenDriver(driver, port, breakIt);
      catches(cases, what, { caughtBy, driver: broken, hangs: hangs === 'hangs' });
    }
  });
}

/** A driver whose stores have a broken port; all of them, as other processes have the same code. */
function brokenDriver<K extends string, P extends object, S extends Record<K, P>>(
  driver: SuiteDriver<S>,
  port: K,
  breakIt: (sound: P) => P,
): SuiteDriver<S> {
  const sound = new Map<S, S>();
  const broken = (store: S): S => {
    const copy = { ...store, [port]: breakIt(bound(store[port])) };
    sound.set(copy, store);
    return copy;
  };
  const close = async (copy: S) => {
    const store = sound.get(copy);
    sound.delete(copy);
    if (store !== undefined) await driver.close(store);
  };
  // A case that hangs does not close what it opened.
  afterAll(async () => {
    for (const copy of [...sound.keys()].reverse()) await close(copy);
  });
  return {
    ...driver,
    open: async () => broken(await driver.open()),
    reopen: async (copy) => broken(await driver.reopen(sound.get(copy) ?? copy)),
    close,
  };
}

/** The methods of a port as plain functions, so that some can be replaced. */
export function bound<P extends object>(port: P): P {
  const names = [...Object.keys(port), ...Object.getOwnPropertyNames(Object.getPrototypeOf(port))];
  const methods = names.flatMap((name) => {
    const method: unknown = Reflect.get(port, name);
    return name !== 'constructor' && typeof method === 'function'
      ? [[name, method.bind(port)] as const]
      : [];
  });
  return Object.fromEntries(methods) as P;
}
