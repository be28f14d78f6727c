import type { RunEngine } from '../engine/run-engine.ts';
import type { Message } from '../events/message.ts';
import type { Clock } from '../internal/clock.ts';
import type { CrashPointHook } from '../internal/crash-point.ts';
import type { JsonObject } from '../internal/json.ts';
import type { ModelClient, ModelRequest } from '../model/model-client.ts';
import type { Budgets } from '../policies/budgets.ts';
import type { Masking } from '../policies/masking.ts';
import type { RateLimit } from '../stores/rate-limiter.ts';
import type { Stores } from '../stores/stores.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Principal } from '../tools/tool.ts';
import type { ToolRegistry } from '../tools/tool-registry.ts';
import type { RunWaker } from './run-waker.ts';

/** What bounds a run. Every number has a default in `defaultLimits`. */
export interface Limits {
  /** Model turns of a run; then it completes with `max_turns`. */
  readonly maxTurns: number;
  /** Tool calls of one turn that run at the same time. */
  readonly maxParallelCalls: number;
  /** Tool calls of one turn; those past it are answered with an error and do not start. */
  readonly maxCallsPerTurn: number;
  /** Characters of the answer of one turn; then it completes with `length`. */
  readonly maxAnswerCharacters: number;
  /** Bytes of a tool's result that the model reads; the rest is kept as an artifact. */
  readonly resultLimitBytes: number;
  /** Bytes of a user's message. */
  readonly maxInputBytes: number;
  /** Messages of the conversation that the model is sent. */
  readonly historyMessages: number;
  /** Bytes of them, with the tool calls and results that led to them; what is older than the first that does not fit is left out. */
  readonly historyBytes: number;
  /** Runs that may queue behind the active one of a conversation. */
  readonly queueLimit: number;
  /** Milliseconds a tool may take. Time that a person needs to answer it does not count. */
  readonly toolTimeoutMs: number;
  /** Milliseconds a run may take. Time in which it waits for a person does not count. */
  readonly runTimeoutMs: number;
  /** Milliseconds until the provider accepted the request. */
  readonly connectTimeoutMs: number;
  /** Milliseconds from there to the first piece of the answer. */
  readonly firstTokenTimeoutMs: number;
  /** Milliseconds between pieces; then the partial answer is kept and the run completes with `stalled`. */
  readonly betweenTokensTimeoutMs: number;
  /** Tries of one model turn after the first. */
  readonly modelRetries: number;
  /** Longest wait before a try, in milliseconds; a longer `Retry-After` ends the run. */
  readonly maxRetryWaitMs: number;
  /** Milliseconds in which a person may decide, or answer a question. */
  readonly decideWithinMs: number;
  /** Milliseconds from approval in which the call has to start. */
  readonly useWithinMs: number;
  /** Milliseconds that tools get to end after a cancel, and a `write` when its process has to end. */
  readonly cancelGraceMs: number;
}

/** How ownership of runs is kept. */
export interface Lease {
  /** Milliseconds after the last beat at which a run may be taken over. */
  readonly ttlMs: number;
  /** Milliseconds between beats. */
  readonly beatMs: number;
  /** Milliseconds between looks for runs that nobody owns. */
  readonly sweepMs: number;
}

/** What a host may change for one model turn. */
export interface TurnOverrides {
  readonly instructions?: string | undefined;
  /** Names of the tools that the model is told of; all when absent. */
  readonly tools?: readonly string[] | undefined;
  readonly messages?: readonly Message[] | undefined;
  readonly toolChoice?: ModelRequest['toolChoice'] | undefined;
  readonly extra?: JsonObject | undefined;
}

/** Called before each model turn with what would be sent. */
export type PrepareTurn = (context: {
  readonly runId: string;
  readonly turn: number;
  readonly messages: readonly Message[];
  /** The provider's id of the answer before this turn, for its `previous_response_id`; `null` in a run's first turn. */
  readonly responseId: string | null;
}) => TurnOverrides | undefined | Promise<TurnOverrides | undefined>;

/** Everything that runs of one assistant share. */
export interface RunSettings {
  readonly model: ModelClient;
  readonly instructions: string | undefined;
  readonly tools: ToolRegistry;
  /** Connects servers that are not yet connected. Never throws: the tools of a server that fails are left out. */
  readonly connectServers: (principal: Principal) => Promise<void> | undefined;
  readonly stores: Stores;
  readonly engine: RunEngine;
  readonly waker: RunWaker;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
  readonly lease: Lease;
  readonly budgets: Budgets;
  /** How many runs a user may start in how much time; `null` for no limit. */
  readonly rateLimit: RateLimit | null;
  readonly masking: Masking;
  readonly prepareTurn: PrepareTurn;
  readonly clock: Clock;
  readonly crashPoint: CrashPointHook;
}

/** The options of one run that are stored with it, for a later owner. */
export interface StoredRunOptions {
  readonly instructions?: string;
  readonly toolChoice?: ModelRequest['toolChoice'];
  readonly maxTurns?: number;
  readonly maxOutputTokens?: number;
  readonly tokenBudget?: number;
  readonly output?: { readonly name: string; readonly schema: JsonObject };
  readonly extra?: JsonObject;
}
