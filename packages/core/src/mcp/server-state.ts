import type { ErrorCode } from '../errors/error-codes.ts';
import type { ChangedTool, RefusedTool } from './mcp-tool.ts';

/**
 * The state of one MCP server, as `assistant.servers()` tells it.
 *
 * @example
 * ```ts
 * import type { ServerState } from '@steward/core';
 *
 * const line = (server: ServerState) =>
 *   `${server.name}: ${server.status}, ${server.tools} tools${server.error ? `, ${server.error.message}` : ''}`;
 * ```
 */
export interface ServerState {
  readonly name: string;
  /**
   * `closed`: the connection was lost or ended, the next call opens it again; `failed`: it could not be opened;
   * `unauthorized`: the user has to sign in, see `assistant.signIn`.
   */
  readonly status: 'idle' | 'connecting' | 'ready' | 'failed' | 'unauthorized' | 'closed';
  /** How many of its tools can be used. */
  readonly tools: number;
  /** Tools that it lists and that are not used, with the reason. */
  readonly refusedTools: readonly RefusedTool[];
  /** Tools whose definition changed: they are blocked until `assistant.approveTools`. */
  readonly changedTools: readonly ChangedTool[];
  /** Why the last attempt failed. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** The revision of MCP that is spoken, such as `2026-07-28`; `null` before the first connection. */
  readonly protocolVersion: string | null;
  /** `modern` is stateless (2026-07-28 and later), `legacy` has sessions. */
  readonly era: 'modern' | 'legacy' | null;
}
