import type { Assistant } from '../../assistant.ts';
import type { CrashPointHook } from '../../internal/crash-point.ts';
import type { Json } from '../../internal/json.ts';
import type { ModelClient } from '../../model/model-client.ts';
import type { Tool } from '../../tools/tool.ts';

/** What a set-up is given, to be passed on to its assistant as it is. */
export interface SetUpOptions {
  readonly model: ModelClient;
  readonly tools: readonly Tool[];
  readonly crashPoint: CrashPointHook;
}

/**
 * The default export of a set-up module: makes the assistant that is to be tested, over the stores and with the engine,
 * limits and leases of your system, and with the model, tools and crash points that it is given. It runs in a process
 * of its own, once per replica. `settings` are those of {@link startReplica}.
 *
 * @example
 * ```ts
 * import { Assistant, inProcessStores } from '@steward/core';
 * import type { SetUp } from '@steward/core/testing';
 *
 * const setUp: SetUp = (options) => new Assistant({ ...options, stores: inProcessStores() });
 * export default setUp;
 * ```
 */
export type SetUp = (options: SetUpOptions, settings: Json) => Assistant | Promise<Assistant>;
