import type { LogKey } from '@steward/core';

const tagCount = 16;

/**
 * What a Cluster places keys by. With sixteen of them runs spread over the servers, and one reader per tag serves them
 * all.
 */
export function tagOf(runId: string): string {
  let hash = 0;
  for (let index = 0; index < runId.length; index++) {
    hash = (hash * 31 + runId.charCodeAt(index)) >>> 0;
  }
  return String(hash % tagCount);
}

/** The key of the stream of one run. */
export function streamKey(prefix: string, { runId, incarnation }: LogKey): string {
  return `${prefix}:{${tagOf(runId)}}:log:${JSON.stringify([runId, incarnation])}`;
}

/** The key by which a process wakes its own reader. */
export function wakeKey(prefix: string, tag: string, processId: string): string {
  return `${prefix}:{${tag}}:wake:${processId}`;
}
