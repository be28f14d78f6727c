import type { JsonObject } from '../internal/json.ts';
import type { Owner } from './run-store.ts';

/** What happened, to be kept for good. */
export interface AuditEntry extends Owner {
  /** The chain: a run id, or a name such as `registry` for what belongs to no run. */
  readonly chain: string;
  /** Such as `confirmation.approved`, `call.started`, `call.finished`, `run.ended`. */
  readonly action: string;
  /** Digests and references, never contents. */
  readonly details: JsonObject;
}

/** An entry in its place. */
export interface AuditRecord extends AuditEntry {
  /** Counts from 1 in its chain. */
  readonly sequence: number;
  /** Unix milliseconds by the store's clock. */
  readonly at: number;
  /** SHA-256 over the previous hash and the canonical JSON of this entry; hex. */
  readonly hash: string;
}

/** What a check of a chain found. */
export type AuditVerdict =
  | { readonly valid: true; readonly length: number; readonly head: string | null }
  | { readonly valid: false; readonly brokenAt: number };

/** An append-only record, hash-chained per run. The RunStore writes the entries of runs. */
export interface AuditLog {
  /** Appends an entry to its chain. */
  append(entry: AuditEntry): Promise<AuditRecord>;
  /** The entries of a chain in order; only those of the owner. */
  read(owner: Owner, chain: string): Promise<readonly AuditRecord[]>;
  /** Computes the chain anew. */
  verify(chain: string): Promise<AuditVerdict>;
}
