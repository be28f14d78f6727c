import { type Clock, systemClock } from '../../internal/clock.ts';
import type { Stores } from '../stores.ts';
import { createDatabase } from './database.ts';
import { inProcessArtifactStore } from './in-process-artifact-store.ts';
import { inProcessAuditLog } from './in-process-audit-log.ts';
import { inProcessBreakerStore } from './in-process-breaker-store.ts';
import { inProcessConversationStore } from './in-process-conversation-store.ts';
import { inProcessHints } from './in-process-hints.ts';
import { inProcessLiveLog } from './in-process-live-log.ts';
import { inProcessRateLimiter } from './in-process-rate-limiter.ts';
import { inProcessRunStore } from './in-process-run-store.ts';
import { inProcessToolServerStore } from './in-process-tool-server-store.ts';
import { inProcessUsageStore } from './in-process-usage-store.ts';

/** What in-process stores keep, and for how long. Every number is a positive integer. */
export interface InProcessStoresOptions {
  /** The stores' time; the machine's by default. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Ended runs kept with their turns, calls and durable events; 1,000 by default. */
  readonly finishedRuns?: number | undefined;
  /** Older ended runs kept with status, text and usage only; 10,000 by default. Still older ones are gone. */
  readonly compactRuns?: number | undefined;
  /** Ended runs whose event stream can be replayed in full; 1,000 by default. */
  readonly replayRuns?: number | undefined;
  /** Events of those runs together; 1,000,000 by default. */
  readonly replayEvents?: number | undefined;
  /** Bytes of one artifact; 64 MiB by default. */
  readonly artifactBytes?: number | undefined;
  /** Bytes of all artifacts on disk; 1 GiB by default, beyond which the oldest is deleted. */
  readonly artifactsBytes?: number | undefined;
}

const defaults = {
  finishedRuns: 1_000,
  compactRuns: 10_000,
  replayRuns: 1_000,
  replayEvents: 1_000_000,
  artifactBytes: 64 * 1024 * 1024,
  artifactsBytes: 1024 * 1024 * 1024,
};

/**
 * All stores in the memory of this process, and artifacts in its temporary files: nothing to install, gone with the
 * process. What ended is bounded by the options; conversations stay until `conversations.delete`. For one process:
 * several need `store-postgres` and `store-redis`. `close()` deletes the files. Throws a `TypeError` for a number that
 * is not a positive integer.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 *
 * const stores = inProcessStores({ finishedRuns: 100 });
 * const owner = { tenantId: 'default', userId: 'local' };
 * console.log(await stores.conversations.list(owner, { limit: 20 }));
 * await stores.close();
 * ```
 */
export function inProcessStores(options: InProcessStoresOptions = {}): Stores {
  const { clock = systemClock } = options;
  const limits = { ...defaults, ...checked(options) };
  const db = createDatabase(clock, limits);
  const artifacts = inProcessArtifactStore(limits);
  const liveLog = inProcessLiveLog(limits);
  return {
    runs: inProcessRunStore(db),
    conversations: inProcessConversationStore(db),
    liveLog,
    artifacts,
    usage: inProcessUsageStore(db),
    rateLimiter: inProcessRateLimiter(clock),
    breakers: inProcessBreakerStore(clock),
    hints: inProcessHints(),
    audit: inProcessAuditLog(db),
    toolServers: inProcessToolServerStore(),
    close: async () => {
      await liveLog.close();
      await artifacts.close();
    },
  };
}

/** The limits that were given. */
function checked(options: InProcessStoresOptions): Partial<typeof defaults> {
  const given: Partial<typeof defaults> = {};
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`inProcessStores: ${name} must be a positive integer, not ${value}.`);
    }
    given[name] = value;
  }
  return given;
}
