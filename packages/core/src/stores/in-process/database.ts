import type { ConversationMessage } from '../../events/conversation-message.ts';
import type { Clock } from '../../internal/clock.ts';
import type { AuditEntry, AuditRecord } from '../audit-log.ts';
import type { CallRecord, CommittedTurn, Owner, RunRecord, StoredEvent } from '../run-store.ts';
import { AgingMap } from './aging-map.ts';

type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** A run as the verbs change it; what is in its arrays is frozen. */
export interface RunState extends Changing<Omit<RunRecord, 'turns' | 'calls'>> {
  turns: CommittedTurn[];
  calls: CallRecord[];
}

/** A run with what its record does not show. */
export interface RunRow {
  /** Never handed out: see `snapshotOf`. */
  readonly record: RunState;
  /** The record as it was handed out, until it changes. */
  snapshot: RunRecord | undefined;
  readonly requestDigest: string | null;
  readonly deadlineMs: number;
  events: StoredEvent[];
  leaseUntil: number;
  /** Owners lost since the last progress. */
  takeovers: number;
  /** When it was last queued, or given to an engine by a sweep. */
  wokenAt: number;
  waitingSince: number;
}

/** A conversation with its messages in order. */
export interface ConversationRow {
  readonly conversationId: string;
  readonly createdAt: number;
  updatedAt: number;
  /** Rises with every change anywhere: orders what changed in the same millisecond. */
  touched: number;
  readonly messages: ConversationMessage[];
  readonly messageIds: Set<string>;
}

/** Tokens by reservation, and sums of them for the windows that were asked for. */
export interface UsageAccount {
  readonly entries: AgingMap<string, UsageEntry>;
  readonly windows: Map<number, { start: number; used: number; reserved: number }>;
}

/** Tokens reserved, or used once settled. They count to the window in which they were reserved. */
export interface UsageEntry {
  readonly at: number;
  readonly tokens: number;
  readonly settled: boolean;
}

/** An audit chain. Entries are hashed when somebody looks: hashing costs more than all the rest of a store verb. */
export interface AuditChain {
  sealed: AuditRecord[];
  readonly open: { readonly entry: AuditEntry; readonly at: number }[];
}

/** How much is kept of what has ended. */
export interface Retention {
  /** Ended runs with all they have. */
  readonly finishedRuns: number;
  /** Older ended runs without turns, calls and events; still older ones are dropped. */
  readonly compactRuns: number;
}

/** The tables of one process, shared by the stores that write each other's rows. */
export interface InProcessDatabase {
  readonly clock: Pick<Clock, 'now'>;
  readonly retention: Retention;
  readonly runs: Map<string, RunRow>;
  /** The runs that have not ended, in order of creation. */
  readonly active: Set<RunRow>;
  /** Run id by owner and request id. */
  readonly requests: Map<string, string>;
  /** Unended runs by conversation: the head may be claimed, the others wait in order. */
  readonly lanes: Map<string, RunRow[]>;
  /** By owner, then by conversation id. */
  readonly conversations: Map<string, Map<string, ConversationRow>>;
  readonly accounts: Map<string, UsageAccount>;
  readonly chains: Map<string, AuditChain>;
  /** Chains of runs. */
  readonly runChains: AgingMap<string, AuditChain>;
  /** Entries in them. */
  runEntries: number;
  /** Ended runs with all they have. */
  readonly finished: AgingMap<string, RunRow>;
  /** Ended runs of which little is left. */
  readonly compacted: AgingMap<string, RunRow>;
  touches: number;
}

/** Empty tables. */
export function createDatabase(clock: Pick<Clock, 'now'>, retention: Retention): InProcessDatabase {
  return {
    clock,
    retention,
    runs: new Map(),
    active: new Set(),
    requests: new Map(),
    lanes: new Map(),
    conversations: new Map(),
    accounts: new Map(),
    chains: new Map(),
    runChains: new AgingMap(),
    runEntries: 0,
    finished: new AgingMap(),
    compacted: new AgingMap(),
    touches: 0,
  };
}

/** One key of an owner and an id; no choice of ids makes two of them equal. */
export function ownedKey(owner: Owner, id?: string): string {
  return JSON.stringify([owner.tenantId, owner.userId, id]);
}

/** Whether something belongs to an owner. */
export function belongsTo(thing: Owner, owner: Owner): boolean {
  return thing.tenantId === owner.tenantId && thing.userId === owner.userId;
}
