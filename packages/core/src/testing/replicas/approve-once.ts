import type { RunEvent } from '../../events/run-event.ts';
import { brokenPromises } from '../oracle/broken-promises.ts';
import type { BrokenPromise } from '../oracle/evidence.ts';
import type { FailOverOptions } from './fail-over.ts';
import { Outside } from './outside.ts';
import { planned } from './plan.ts';
import { type Replica, startReplica } from './replica.ts';

/** Settings of {@link approveOnce}. */
export type ApproveOnceOptions = Pick<FailOverOptions, 'setUp' | 'settings' | 'execArgv'>;

/** How often a tool ran that was approved more often than once; everything but 1, 0 and 1 is wrong. */
export interface ApproveOnceReport {
  /** After two approvals at the same moment, at two replicas. */
  readonly atOnce: number;
  /** After another approval, when the run had ended. */
  readonly later: number;
  /** Of a second question, approved again at both while the tool worked. */
  readonly whileRunning: number;
  /** What does not hold; empty when all is well. */
  readonly broken: readonly BrokenPromise[];
}

/**
 * The approve-once test, for your own set-up: one approval is pressed in two tabs that are connected to two replicas,
 * pressed again when all is over, and a second one again while its tool works. How often did the tool run?
 *
 * @throws Error when a process cannot be started, or nobody is asked.
 * @example
 * ```ts
 * import { approveOnce } from '@steward/core/testing';
 *
 * const { atOnce, later, whileRunning } = await approveOnce({
 *   setUp: new URL('./my-set-up.js', import.meta.url).href,
 * });
 * console.log(atOnce === 1 && later === 0 && whileRunning === 1);
 * ```
 */
export async function approveOnce(options: ApproveOnceOptions): Promise<ApproveOnceReport> {
  const outside = new Outside();
  const replicas = await Promise.all([1, 2].map(() => startReplica({ ...options, outside })));
  try {
    for (const replica of replicas) await replica.begin();
    const first = await ask(replicas);
    await first.press();
    await first.ended;
    const atOnce = outside.requests.length;
    await first.press();
    const later = outside.requests.length - atOnce;

    const second = await ask(replicas);
    outside.onEffect = () => second.press();
    await second.press();
    await second.ended;
    const whileRunning = outside.requests.length - atOnce - later;
    const runs = (await replicas[0]?.evidence([first.runId, second.runId])) ?? [];
    const broken = brokenPromises({ runs, effects: outside.effects });
    return { atOnce, later, whileRunning, broken };
  } finally {
    for (const replica of replicas) await replica.kill('SIGKILL');
  }
}

/** A run that asks, and a way to approve it at all replicas at the same moment. */
async function ask([replica, ...others]: readonly Replica[]) {
  if (replica === undefined) throw new TypeError('No replica to ask.');
  const runId = await replica.run(planned({ calls: [['write']] }));
  const asked = Promise.withResolvers<Extract<RunEvent, { type: 'tool_request' }>>();
  const ended = replica.read(runId, null, (event) => {
    if (event.type === 'tool_request') asked.resolve(event);
  });
  void ended.then(() => asked.reject(new Error('The run came to its end without asking.')));
  const { callId, argsDigest } = await asked.promise;
  const press = async () => {
    const tabs = [replica, ...others];
    await Promise.allSettled(tabs.map((tab) => tab.confirm(runId, callId, argsDigest)));
  };
  return { runId, ended, press };
}
