import { expect, it } from 'vitest';
import type { LogWriter } from '../../src/events/live-log.ts';
import type { RunStore } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { runCampaign, type Spoil } from './campaign.ts';

it('keeps every promise in 500 runs of random faults, people and deaths', async () => {
  const report = await runCampaign(500, 1);
  expect(report.runs).toBeGreaterThanOrEqual(500);
  expect(report.deaths).toBeGreaterThan(50);
  expect(report.ends['stop']).toBeGreaterThan(100);
});

const withRuns =
  (change: (runs: RunStore) => Partial<RunStore>): Spoil =>
  (stores) => {
    const changed = change(stores.runs);
    const runs = new Proxy(stores.runs, {
      get: (target, name: keyof RunStore) => changed[name] ?? target[name],
    });
    return { ...stores, runs };
  };

const withLog = (publish: (writer: LogWriter, n: number) => LogWriter['publish']): Spoil => {
  let n = 0;
  return (stores): Stores => ({
    ...stores,
    liveLog: {
      ...stores.liveLog,
      open: (key, epoch) => {
        const writer = stores.liveLog.open(key, epoch);
        return { close: () => writer.close(), publish: (event) => publish(writer, n++)(event) };
      },
    },
  });
};

const go = { kind: 'go', attempt: 2 } as const;

it.each<[string, Spoil]>([
  [
    'starts a write again',
    withRuns((runs) => ({
      startCall: async (...args) => {
        const outcome = await runs.startCall(...args);
        return outcome.kind === 'unknown' ? go : outcome;
      },
    })),
  ],
  [
    'starts what was refused',
    withRuns((runs) => ({
      startCall: async (...args) => {
        const outcome = await runs.startCall(...args);
        return outcome.kind === 'refused' ? go : outcome;
      },
    })),
  ],
  [
    'forgets the events of a result',
    withRuns((runs) => ({
      finishCall: (fence, callId, result) => runs.finishCall(fence, callId, result, []),
    })),
  ],
  [
    'tells the end twice',
    withRuns((runs) => ({
      finish: (fence, end, message, events) =>
        runs.finish(fence, end, message, [...events, ...events]),
    })),
  ],
  [
    'saves another answer than the one that was read',
    withRuns((runs) => ({
      finish: (fence, end, message, events) =>
        runs.finish(fence, end, message && { ...message, content: 'other' }, events),
    })),
  ],
  [
    'loses a piece of the answer',
    withLog((writer, n) => (event) => {
      if (event.type !== 'token' || n % 20 > 0) writer.publish(event);
    }),
  ],
  [
    'says an event twice',
    withLog((writer, n) => (event) => {
      writer.publish(event);
      if (n % 20 === 0) writer.publish(event);
    }),
  ],
])('notices a store that %s', async (_what, spoil) => {
  await expect(runCampaign(300, 2, spoil)).rejects.toThrow(/^seed \d+, run /);
});
