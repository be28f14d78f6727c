import { expected } from '../lib/protocol.mjs';
import { cpuTime, median, quantile } from '../lib/statistics.mjs';
import { executions } from '../lib/tools.mjs';

/** Runs with rounds of tool calls: CPU of a whole run. */
export async function loop(one, { model, runs, warm }) {
  for (let index = 0; index < warm; index += 1) await one(model);
  const walls = [];
  const executedBefore = executions.count;
  const cpu = cpuTime();
  for (let index = 0; index < runs; index += 1) {
    const start = performance.now();
    await one(model);
    walls.push(performance.now() - start);
  }
  const cpuMs = (cpuTime() - cpu) / runs / 1_000;
  const executed = executions.count - executedBefore;
  if (executed !== runs * expected(model).toolResults) throw new Error(`${executed} executions`);
  return { cpuMs, wallMs: median(walls), wallP95Ms: quantile(walls, 0.95) };
}
