/** What a case of a suite works with. */
export interface SuiteContext<S> {
  /** Fresh and empty. */
  readonly store: S;
  /** Another handle on the same data, as another process would have, or the same one after a restart. */
  readonly reopen: () => Promise<S>;
  /** Lets `ms` milliseconds pass on the store's clock. */
  readonly passTime: (ms: number) => Promise<void>;
}

/** One promise of a port, as a sentence, and how it is checked. */
export interface SuiteCase<S> {
  readonly title: string;
  run(context: SuiteContext<S>): Promise<void>;
}

/**
 * How a conformance suite gets hold of an implementation. `passTime` moves the clock by which the store judges leases
 * and expiries: a fake one where the store takes one, or simply a wait. The suites never ask for more than four
 * seconds.
 */
export interface SuiteDriver<S> {
  /** A fresh, empty store; every case gets its own. */
  open(): Promise<S>;
  /** A second handle on the data of `store`; `store` stays usable. */
  reopen(store: S): Promise<S>;
  /** Lets so much time pass for the store: by a fake clock, or by waiting. */
  passTime(ms: number): Promise<void>;
  /** Releases what `open` or `reopen` took. */
  close(store: S): Promise<void>;
  /** Titles of cases that this implementation does not keep, each with the reason; they are reported as skipped. */
  readonly gaps?: Readonly<Record<string, string>>;
}

/** Runs one case on a store of its own. */
export async function runCase<S>(driver: SuiteDriver<S>, suiteCase: SuiteCase<S>): Promise<void> {
  const store = await driver.open();
  const handles = [store];
  const reopen = async () => {
    const handle = await driver.reopen(store);
    handles.push(handle);
    return handle;
  };
  try {
    await suiteCase.run({ store, reopen, passTime: (ms) => driver.passTime(ms) });
  } finally {
    for (const handle of handles.reverse()) await driver.close(handle);
  }
}

/**
 * Registers cases as tests. Vitest is an optional peer and refuses to be imported outside of its own process, so it is
 * loaded here and not with the test kit.
 */
export async function registerSuite<S>(
  heading: string,
  cases: readonly SuiteCase<S>[],
  driver: SuiteDriver<S>,
): Promise<void> {
  const { describe, it } = await import('vitest');
  const gaps = new Map(Object.entries(driver.gaps ?? {}));
  const unknown = [...gaps.keys()].filter((title) => !cases.some((one) => one.title === title));
  if (unknown.length > 0) throw new TypeError(`${heading}: no case is titled "${unknown[0]}".`);
  describe(heading, () => {
    for (const suiteCase of cases) {
      const gap = gaps.get(suiteCase.title);
      if (gap === undefined) it(suiteCase.title, () => runCase(driver, suiteCase));
      else it.skip(`${suiteCase.title} (gap: ${gap})`);
    }
  });
}
