export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Microseconds of CPU that this process has used, in all its threads. */
export function cpuTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Milliseconds for a fixed amount of integer work: how fast this core is just now. */
export function calibrate() {
  const start = performance.now();
  let value = 1;
  for (let index = 0; index < 2e7; index += 1) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
  }
  // Used, so that the loop cannot be optimised away.
  return value === 0 ? Number.NaN : performance.now() - start;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
