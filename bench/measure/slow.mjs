import { cpuTime, sleep } from '../lib/statistics.mjs';

async function collectGarbage() {
  for (let index = 0; index < 3; index += 1) {
    globalThis.gc();
    await sleep(100);
  }
  return process.memoryUsage();
}

/** Many streams that are open and nearly idle: memory of each. Needs --expose-gc. */
export async function slow(one, { streams, delay, tokens, windowMs }) {
  for (let index = 0; index < 20; index += 1) await one('fake-100');
  await Promise.all(Array.from({ length: 20 }, () => one('fake-100')));
  const before = await collectGarbage();
  let started = 0;
  const count = () => {
    started += 1;
  };
  const all = Promise.all(
    Array.from({ length: streams }, () => one(`fake-${tokens}-${delay}ms`, count)),
  );
  while (started < streams) await Promise.race([sleep(20), all]);
  await sleep(2 * delay);
  const during = await collectGarbage();
  const cpu = cpuTime();
  const start = performance.now();
  await sleep(windowMs);
  const seen = ((performance.now() - start) / delay) * streams;
  const cpuUs = (cpuTime() - cpu) / seen;
  await all;
  const heap = ({ heapUsed, external }) => heapUsed + external;
  return {
    rssKB: (during.rss - before.rss) / streams / 1_024,
    heapKB: (heap(during) - heap(before)) / streams / 1_024,
    cpuUs,
    peakMB: process.resourceUsage().maxRSS / 1_024,
  };
}
