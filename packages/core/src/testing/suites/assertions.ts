import assert from 'node:assert/strict';
import type { ErrorCode } from '../../errors/error-codes.ts';
import { StewardError } from '../../errors/steward-error.ts';

/** The promise rejects with a {@link StewardError} of this code. */
export async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (reason) => {
    assert.ok(reason instanceof StewardError, `expected a StewardError, got ${String(reason)}`);
    assert.equal(reason.code, code);
    return true;
  });
}

/** Tries to change a value deep inside; a frozen one refuses, which is as good as a copy. */
export function tryToChange(change: () => void): void {
  try {
    change();
  } catch (reason) {
    if (!(reason instanceof TypeError)) throw reason;
  }
}

/** Runs `work` `count` times at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** A bounded wait for a condition that another party brings about. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < 6_000; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`did not happen within a minute: ${what}`);
}

/** A promise that the case settles itself. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
