import type { Effect, PendingInput } from '../events/run-event.ts';
import type { Json, JsonObject } from '../internal/json.ts';

/** Who asks: the owner of runs, conversations and artifacts. Adapters always pass it. */
export interface Principal {
  readonly userId: string;
  /** `'default'` unless given. */
  readonly tenantId?: string | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** What a tool is told about the call it serves. */
export interface ToolContext {
  readonly runId: string;
  readonly callId: string;
  readonly conversationId: string;
  readonly principal: Principal;
  /** The same for every attempt of this call: pass it on to what has the effect. */
  readonly idempotencyKey: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Aborted by `cancel`, by the tool's timeout, and when another process took the run over. */
  readonly signal: AbortSignal;
  /** Reports progress as a `tool_progress` event. */
  readonly progress: (update: {
    readonly progress: number;
    readonly total?: number;
    readonly message?: string;
  }) => void;
  /** Asks the person (an `input_requested` event) and waits for `answer`. */
  readonly requestInput: (input: Pick<PendingInput, 'message' | 'schema' | 'url'>) => Promise<Json>;
}

/** Whether a person must approve a call. A function sees the validated arguments. */
export type ConfirmRule =
  | 'always'
  | 'never'
  | ((args: Json, context: ConfirmContext) => boolean | Promise<boolean>);

/** What a {@link ConfirmRule} function may look at. */
export interface ConfirmContext {
  readonly tool: string;
  readonly effect: Effect;
  readonly principal: Principal;
  readonly conversationId: string;
}

/** What came of checking arguments. */
export type Validation =
  | { readonly valid: true; readonly value: Json }
  | { readonly valid: false; readonly message: string };

/**
 * A tool as the run loop sees it, wherever it lives: made by `tool()` or by an MCP server's listing. Immutable.
 */
export interface Tool {
  /** As the host knows it; `server__tool` for tools of servers. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  readonly effect: Effect;
  /** `null`: by the default of its effect (writes ask, reads do not). */
  readonly confirm: ConfirmRule | null;
  /** Milliseconds; the assistant's `toolTimeoutMs` when `null`. */
  readonly timeoutMs: number | null;
  /** The server it lives on, `null` for the host's own functions. */
  readonly server: string | null;
  /** SHA-256 over the whole canonical definition and the effect: all that a person approves of a tool. */
  readonly definitionHash: string;
  /** Checks arguments as the model sent them (parsed JSON). */
  validate(args: unknown): Promise<Validation>;
  /** Has the effect. Only the gate calls it. */
  execute(args: Json, context: ToolContext): Promise<unknown>;
  /** Finds out whether a call whose outcome is unknown took effect; `undefined` when it cannot be said. */
  reconcile(
    callId: string,
  ): Promise<{ readonly succeeded: boolean; readonly content: unknown } | undefined>;
}
