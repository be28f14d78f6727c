import type { LiveLog } from '../events/live-log.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { AuditLog } from './audit-log.ts';
import type { BreakerStore } from './breaker-store.ts';
import type { ConversationStore } from './conversation-store.ts';
import type { Hints } from './hints.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RunStore } from './run-store.ts';
import type { ToolServerStore } from './tool-server-store.ts';
import type { UsageStore } from './usage-store.ts';

/**
 * Everything an assistant keeps, one member per port. Assistants that share it see the same runs.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, inProcessStores } from '@steward/core';
 *
 * const stores = inProcessStores();
 * const one = new Assistant({ model: demoModel(), stores });
 * const two = new Assistant({ model: demoModel(), stores });
 * ```
 */
export interface Stores {
  readonly runs: RunStore;
  readonly conversations: ConversationStore;
  readonly liveLog: LiveLog;
  readonly artifacts: ArtifactStore;
  readonly usage: UsageStore;
  readonly rateLimiter: RateLimiter;
  readonly breakers: BreakerStore;
  readonly hints: Hints;
  readonly audit: AuditLog;
  readonly toolServers: ToolServerStore;
  /** Releases connections, files and timers. Called by whoever made the stores. */
  close(): Promise<void>;
}
