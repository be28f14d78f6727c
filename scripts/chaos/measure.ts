import type { Measurement } from './reporting.ts';

/** What this process holds, garbage aside. Node must run with `--expose-gc`. */
export function measure(): Measurement {
  // Twice: what finalisers let go of in the first round is collected in the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapBytes: heapUsed, rssBytes: rss, resources };
}
