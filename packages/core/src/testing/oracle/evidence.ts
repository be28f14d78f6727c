import type { ConversationMessage } from '../../events/conversation-message.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import type { AuditRecord } from '../../stores/audit-log.ts';
import type { Owner, RunRecord, StoredEvent } from '../../stores/run-store.ts';
import type { Stores } from '../../stores/stores.ts';

/** What the stores have of one run. */
export interface RunEvidence {
  readonly run: RunRecord;
  /** Its durable events, in order. */
  readonly events: readonly StoredEvent[];
  /** The messages that it added to its conversation. */
  readonly messages: readonly ConversationMessage[];
  /** Its audit chain. */
  readonly audit: readonly AuditRecord[];
}

/** One request that reached the world outside: what the ledger of a tool server has. */
export interface EffectRecord {
  /** The `idempotencyKey` of the tool context, as the outside received it. */
  readonly callId: string;
  /** Whether the world changed; `false` where the outside had seen the key before and repeated its first answer. */
  readonly applied: boolean;
  /** The arguments as they arrived, where the outside kept them. */
  readonly args?: Json;
}

/** What one client was shown of a run, whatever it lived through, until it was told of the end. */
export interface Reading {
  readonly runId: string;
  /** Who reads. */
  readonly reader: Owner;
  readonly events: readonly RunEvent[];
}

/** What is known after a test, for {@link brokenPromises} to judge. Only `runs` is needed; what is absent is not judged. */
export interface Evidence {
  readonly runs: readonly RunEvidence[];
  /** Ids of the runs that clients were told of: each must be among `runs`. */
  readonly accepted?: readonly string[];
  /** Everything that tools which write asked of the outside in these runs. */
  readonly effects?: readonly EffectRecord[];
  readonly readings?: readonly Reading[];
  /** How long runs were without an owner, in milliseconds. */
  readonly recoveries?: readonly { readonly runId: string; readonly ms: number }[];
  /** Longest such time that is promised; 15,000 ms by default, the promise for the default lease. */
  readonly recoverWithinMs?: number;
  /** What processes hold at rest, such as `rss` or `connections`, before and after. */
  readonly resources?: readonly {
    readonly name: string;
    readonly before: number;
    readonly after: number;
  }[];
  /** Unhandled rejections and ends of processes that nobody ordered. */
  readonly incidents?: readonly string[];
  /** Milliseconds after its deadline in which a run must have ended; 20,000 by default: its owner may have died. */
  readonly deadlineGraceMs?: number;
}

/** Where a promise was made: the invariants I1 to I11 of the guide to reliability. */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11';

/** A promise that does not hold, and where. */
export interface BrokenPromise {
  readonly invariant: Invariant;
  readonly found: string;
  readonly runId?: string;
  readonly callId?: string;
}

/** Whatever a check finds in one run. */
export type Finding = Pick<BrokenPromise, 'invariant' | 'found' | 'callId'>;

const page = 1_000;

/**
 * Reads what the stores have of these runs, through their ports, so for any store. A run that does not exist is
 * missing from the answer.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, inProcessStores } from '@steward/core';
 * import { brokenPromises, evidenceOf } from '@steward/core/testing';
 *
 * const stores = inProcessStores();
 * const run = new Assistant({ model: demoModel(), stores }).run('Hello');
 * await run.result();
 * console.log(brokenPromises({ runs: await evidenceOf(stores, [run.id]), accepted: [run.id] }));
 * ```
 */
export async function evidenceOf(
  stores: Pick<Stores, 'runs' | 'conversations' | 'audit'>,
  runIds: Iterable<string>,
): Promise<readonly RunEvidence[]> {
  const found: RunEvidence[] = [];
  for (const runId of runIds) {
    const run = await stores.runs.load(runId, null);
    if (run === null) continue;
    found.push({
      run,
      events: await allEvents(stores, runId),
      messages: await messagesOf(stores, run),
      audit: await stores.audit.read(run, runId),
    });
  }
  return found;
}

async function allEvents({ runs }: Pick<Stores, 'runs'>, runId: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const more = await runs.events(runId, events.at(-1)?.n ?? 0, page);
    events.push(...more);
    if (more.length < page) return events;
  }
}

async function messagesOf(
  { conversations }: Pick<Stores, 'conversations'>,
  run: RunRecord,
): Promise<ConversationMessage[]> {
  const own: ConversationMessage[] = [];
  let before: string | undefined;
  for (;;) {
    const window = before === undefined ? { limit: page } : { limit: page, before };
    const messages = await conversations.read(run, run.conversationId, window);
    own.unshift(...messages.filter(({ runId }) => runId === run.runId));
    before = messages[0]?.messageId;
    if (messages.length < page) return own;
  }
}
