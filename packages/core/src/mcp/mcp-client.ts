import type { Effect } from '../events/run-event.ts';
import type { JsonObject } from '../internal/json.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { ToolContent } from '../tools/tool-content.ts';
import type { PromptArguments, PromptMessage, ServerPrompt } from './server-prompts.ts';

/** A tool as its server lists it: untrusted, unchanged. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly annotations: ToolHints;
  /** All that the server said of it. */
  readonly definition: JsonObject;
}

/** What a server says its tool does. Only a hint. */
export interface ToolHints {
  readonly readOnlyHint?: boolean | undefined;
  readonly destructiveHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
}

/** What a server lists. */
export interface Listing {
  readonly tools: readonly ListedTool[];
  /** Milliseconds for which the server says that it holds; `null` when it does not say. */
  readonly ttlMs: number | null;
}

/** One call to a tool of a server. */
export interface McpCall {
  readonly tool: ListedTool;
  /** What the host says that it does. */
  readonly effect: Effect;
  readonly args: JsonObject;
  readonly context: Pick<
    ToolContext,
    'idempotencyKey' | 'principal' | 'signal' | 'progress' | 'requestInput'
  >;
}

/** What a server answered. */
export type McpAnswer =
  | {
      readonly kind: 'answered';
      readonly content: ToolContent;
      readonly structured: unknown;
      readonly isError: boolean;
    }
  /** It refused for lack of a session, which proves that nothing ran: connect again and repeat. */
  | { readonly kind: 'session_lost' };

/** An open connection to one MCP server. It is never used again after a failure of the transport. */
export interface McpClient {
  /** The revision of the protocol that both sides speak, such as `2026-07-28`; `null` when the server did not say. */
  readonly protocolVersion: string | null;
  /** `modern` is stateless (2026-07-28 and later), `legacy` has sessions. */
  readonly era: 'modern' | 'legacy' | null;
  /** All tools, and for its resources the tools that read them. Throws `mcp_failed` or `mcp_unavailable`. */
  list(signal: AbortSignal): Promise<Listing>;
  /** All prompts. Throws as {@link list} does. */
  prompts(signal: AbortSignal): Promise<readonly ServerPrompt[]>;
  /** A prompt with its arguments filled in. Throws as {@link list} does. */
  prompt(
    name: string,
    args: PromptArguments,
    signal: AbortSignal,
  ): Promise<readonly PromptMessage[]>;
  /**
   * Calls a tool. Throws `mcp_unavailable` when nothing was sent, `mcp_failed` or `authorization_required` when the server
   * refused, and `outcome_unknown` when the call was sent and no answer came.
   */
  call(call: McpCall): Promise<McpAnswer>;
  /** Ends the connection, and the child process if there is one. Twice is no error. */
  close(): Promise<void>;
}
