import type { AssistantOptions } from '@steward/core';
import type { Phase } from './phases.ts';

/** What a replica is started with. */
export interface ReplicaSettings {
  readonly name: string;
  readonly postgresUrl: string;
  readonly redisUrl: string;
  readonly modelUrl: string;
  readonly toolsUrl: string;
  /** Where it notes what it is doing. */
  readonly boardFile: string;
  readonly replicas: number;
  readonly drainMs: number;
  readonly lease: NonNullable<AssistantOptions['lease']>;
  readonly limits: NonNullable<AssistantOptions['limits']>;
}

/** What the driver tells a replica. */
export type Order =
  | { readonly kind: 'die'; readonly phase: Phase; readonly afterMs: number }
  | { readonly kind: 'measure' };
