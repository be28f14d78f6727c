import type { ErrorCode } from '../../errors/error-codes.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import type { RunEvidence } from '../oracle/evidence.ts';

/** What a parent may ask of a replica, and what it is answered. */
export interface ReplicaVerbs {
  /** Makes the assistant. */
  begin(): null;
  /** Starts a run and answers with its id. */
  run(input: string, options: { readonly requestId?: string }): string;
  /** Says what happens in a run, as events of this number, until its end. */
  attach(reading: number, runId: string, after: string | null): null;
  confirm(runId: string, callId: string, argsDigest: string): null;
  cancel(runId: string): null;
  evidence(runIds: readonly string[]): readonly RunEvidence[];
  close(drainMs: number): null;
}

/** The name of one of {@link ReplicaVerbs}. */
export type ReplicaVerb = keyof ReplicaVerbs;

/** From the parent to a replica. */
export type ToReplica =
  | { readonly ask: number; readonly verb: ReplicaVerb; readonly args: readonly unknown[] }
  /** The outside has had the effect that this replica asked for. */
  | { readonly affected: number };

/** From a replica to its parent. */
export type FromReplica =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly to: number; readonly value: unknown }
  | {
      readonly kind: 'refusal';
      readonly to: number;
      readonly code: ErrorCode;
      readonly detail: string;
    }
  | { readonly kind: 'event'; readonly reading: number; readonly event: RunEvent }
  | { readonly kind: 'end'; readonly reading: number }
  /** A tool acts on the world outside. */
  | {
      readonly kind: 'effect';
      readonly n: number;
      readonly callId: string;
      readonly tool: string;
      readonly args: Json;
    }
  | { readonly kind: 'incident'; readonly what: string };
