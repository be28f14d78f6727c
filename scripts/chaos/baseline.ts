// What replicas hold when all is quiet, before a campaign and after it.
import { setTimeout as wait } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { Breach } from './oracle.ts';
import type { Measurement } from './reporting.ts';

/** The most that a replica held. */
export interface Holdings {
  readonly heapMiB: number;
  readonly rssMiB: number;
  readonly handles: number;
}

const promise = 'I9 memory and handles are back at the baseline';
/** How long connections and timers may take to be given back: pools keep idle ones for ten seconds. */
const settleMs = 20_000;
const slackMiB = 4;
const slackHandles = 3;

export async function holdingsOf(fleet: Fleet): Promise<Holdings> {
  const all = [...(await fleet.measure()).values()];
  const most = (of: (measurement: Measurement) => number) => Math.max(...all.map(of));
  const handlesOf = ({ resources }: Measurement) =>
    Object.values(resources).reduce((sum, count) => sum + count, 0);
  return {
    heapMiB: most(({ heapBytes }) => heapBytes) / 2 ** 20,
    rssMiB: most(({ rssBytes }) => rssBytes) / 2 ** 20,
    handles: most(handlesOf),
  };
}

function isBack(now: Holdings, before: Holdings): boolean {
  return (
    now.heapMiB <= before.heapMiB * 1.1 + slackMiB &&
    now.handles <= before.handles * 1.1 + slackHandles
  );
}

/** Waits until it is so, as long as that may take. */
export async function backAt(
  before: Holdings,
  fleet: Fleet,
): Promise<{ after: Holdings; breaches: Breach[] }> {
  const end = performance.now() + settleMs;
  for (;;) {
    const after = await holdingsOf(fleet);
    if (isBack(after, before)) return { after, breaches: [] };
    if (performance.now() > end) {
      const details = JSON.stringify({ before, after });
      return { after, breaches: [{ promise, runId: null, details }] };
    }
    await wait(1_000);
  }
}
