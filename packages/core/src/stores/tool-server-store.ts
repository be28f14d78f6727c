import type { JsonObject } from '../internal/json.ts';

/** A registered tool server with the definitions that were approved. */
export interface ToolServerRecord {
  readonly tenantId: string;
  /** The name that prefixes its tools. */
  readonly name: string;
  /** How it is reached and what its tools may do; no secrets. */
  readonly config: JsonObject;
  /** Tool name to the hash of its approved definition. */
  readonly pinned: { readonly [tool: string]: string };
  /** Raised by each `put`. */
  readonly version: number;
}

/** Registered tool servers and the definitions pinned for them. */
export interface ToolServerStore {
  /** Creates (`version` 0) or replaces; `false` when the stored version is not `version`: read it again. */
  put(record: ToolServerRecord): Promise<boolean>;
  /** The record, or `null`. */
  get(tenantId: string, name: string): Promise<ToolServerRecord | null>;
  /** All of a tenant, by name. */
  list(tenantId: string): Promise<readonly ToolServerRecord[]>;
  /** Deletes it; twice is no error. */
  delete(tenantId: string, name: string): Promise<void>;
}
