// How much CPU others took during a sample. Ours are this process, its reaped children and the pids that are given.
// Where there is no /proc, samples are taken as they come.
import { existsSync, readFileSync } from 'node:fs';
import { sleep } from './statistics.mjs';

const measurable = existsSync('/proc/stat');
const tickMs = 10;

function machineTicks() {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  return user + nice + system + irq + softirq + steal;
}

function processTicks(pid, from, to) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.slice(from, to).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0; // it has ended
  }
}

function snapshot(pids) {
  if (!measurable) return { at: performance.now(), others: 0 };
  const own = pids.reduce(
    (sum, pid) => sum + processTicks(pid, 11, 13),
    processTicks('self', 11, 15),
  );
  return { at: performance.now(), others: machineTicks() - own };
}

/** Percent of one core that others used between two snapshots. */
function foreign(before, after) {
  const ms = (after.others - before.others) * tickMs;
  return Math.max(0, (ms / (after.at - before.at)) * 100);
}

async function waitForQuiet(pids, { below, limitMs }) {
  const end = performance.now() + limitMs;
  let calm = 0;
  while (performance.now() < end && calm < 2) {
    const before = snapshot(pids);
    await sleep(250);
    calm = foreign(before, snapshot(pids)) < below ? calm + 1 : 0;
  }
}

/** Takes a sample in a quiet moment, again when others took more than `below` percent of a core meanwhile. */
export async function measured(pids, sample, { below = 25, limitMs = 5_000, tries = 2 } = {}) {
  let best;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    await waitForQuiet(pids, { below, limitMs });
    const before = snapshot(pids);
    const result = await sample();
    result.foreignPercent = foreign(before, snapshot(pids));
    result.tries = attempt;
    if (result.error !== undefined) return result;
    if (best === undefined || result.foreignPercent < best.foreignPercent) best = result;
    if (result.foreignPercent <= below) break;
  }
  return best;
}
