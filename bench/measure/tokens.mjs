import { cpuTime, median } from '../lib/statistics.mjs';

/** CPU per token: `streams` at a time, `tokens` each, in one burst or paced. */
export async function tokens(one, { streams, tokens: count, delay = 0, repetitions }) {
  const model = `fake-${count}${delay > 0 ? `-${delay}ms` : ''}`;
  const all = (number, name) => Promise.all(Array.from({ length: number }, () => one(name)));
  for (let warm = 0; warm < 3; warm += 1) await one('fake-4000');
  if (streams > 1) await all(Math.min(streams, 50), 'fake-100');
  const memoryBefore = process.memoryUsage.rss();
  const cpu = cpuTime();
  const start = performance.now();
  const events = [];
  for (let round = 0; round < repetitions; round += 1) {
    events.push(...(await all(streams, model)).map((run) => run.events));
  }
  const total = streams * count * repetitions;
  const { maxRSS } = process.resourceUsage();
  return {
    cpuUs: (cpuTime() - cpu) / total,
    wallUs: ((performance.now() - start) * 1_000) / total,
    peakMB: maxRSS / 1_024,
    grownMB: (maxRSS * 1_024 - memoryBefore) / 2 ** 20,
    eventsPerRun: median(events),
  };
}
