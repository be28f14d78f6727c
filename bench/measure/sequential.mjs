import { cpuTime, median, quantile } from '../lib/statistics.mjs';

/** Small requests, one after another: time to the first token, and CPU of a request. */
export async function sequential(one, { requests, warm, model = 'fake-20', baseURL }) {
  const cpuAtStart = cpuTime();
  await one(model);
  const coldCpuMs = (cpuTime() - cpuAtStart) / 1_000;
  for (let index = 1; index < warm; index += 1) await one(model);
  const firstTokens = [];
  const totals = [];
  const cpu = cpuTime();
  for (let index = 0; index < requests; index += 1) {
    const start = performance.now();
    await one(model, () => firstTokens.push(performance.now() - start));
    totals.push(performance.now() - start);
  }
  const cpuMs = (cpuTime() - cpu) / requests / 1_000;
  const { requestBytes, tools } = await (await fetch(new URL('/', baseURL))).json();
  return {
    firstTokenMs: median(firstTokens),
    firstTokenP95Ms: quantile(firstTokens, 0.95),
    totalMs: median(totals),
    cpuMs,
    coldCpuMs,
    requestBytes,
    tools,
  };
}
