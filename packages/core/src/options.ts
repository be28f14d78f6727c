import type { RunEngine } from './engine/run-engine.ts';
import type { ContentPart } from './events/message.ts';
import type { Clock } from './internal/clock.ts';
import type { CrashPointHook } from './internal/crash-point.ts';
import type { JsonObject } from './internal/json.ts';
import type { McpServerConfig } from './mcp/server-config.ts';
import type { ModelClient, ModelRequest } from './model/model-client.ts';
import type { OpenAIModelOptions } from './model/openai-model.ts';
import type { Budgets } from './policies/budgets.ts';
import type { Masking } from './policies/masking.ts';
import type { Lease, Limits, PrepareTurn } from './run/run-settings.ts';
import type { CredentialStore } from './stores/credential-store.ts';
import type { RateLimit } from './stores/rate-limiter.ts';
import type { Stores } from './stores/stores.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { Principal, Tool } from './tools/tool.ts';
import type { ToolSchema } from './tools/tool-schema.ts';

/**
 * Settings of an {@link Assistant}. Only `model` is required; everything else has a default that runs in this process.
 *
 * @example
 * ```ts
 * import { Assistant, type AssistantOptions } from '@steward/core';
 *
 * const options: AssistantOptions = {
 *   model: { api: 'chat', model: 'local-model', baseURL: 'http://127.0.0.1:8080/v1' },
 *   instructions: 'You are concise.',
 *   limits: { maxTurns: 8, toolTimeoutMs: 30_000 },
 * };
 * const assistant = new Assistant(options);
 * ```
 */
export interface AssistantOptions {
  /** The name of an OpenAI model, settings for `openaiModel`, or any {@link ModelClient}. */
  readonly model: string | OpenAIModelOptions | ModelClient;
  /** The system prompt. */
  readonly instructions?: string | undefined;
  /** Functions of the host, made by `tool()`. */
  readonly tools?: readonly Tool[] | undefined;
  /** MCP servers by name; the name prefixes their tools (`name__tool`). */
  readonly mcp?: Readonly<Record<string, McpServerConfig>> | undefined;
  /** Where the tokens of users at tool servers are kept; in this process by default. */
  readonly credentials?: CredentialStore | undefined;
  /** Where everything is kept; in this process by default, and then closed with the assistant. */
  readonly stores?: Stores | undefined;
  /** What moves work between processes; within this process by default. */
  readonly engine?: RunEngine | undefined;
  /** Where spans and measurements go; nowhere by default. */
  readonly telemetry?: Telemetry | undefined;
  /** Bounds of runs; see {@link defaultLimits}. */
  readonly limits?: Partial<Limits> | undefined;
  /** How ownership of runs is kept; see {@link defaultLease} and {@link fastLease}. */
  readonly lease?: Partial<Lease> | undefined;
  /** Tokens that a run or a user may use; see {@link defaultBudgets}. */
  readonly budgets?: Partial<Budgets> | undefined;
  /** How many runs a user may start in how much time; no limit by default. */
  readonly rateLimit?: RateLimit | undefined;
  /** Changes what tools say before anybody reads it. */
  readonly masking?: Masking | undefined;
  /** Called before each model turn; may change what is sent. */
  readonly prepareTurn?: PrepareTurn | undefined;
  /** Time; replaced in tests. */
  readonly clock?: Clock | undefined;
  /** Called at each crash point; for tests. */
  readonly crashPoint?: CrashPointHook | undefined;
}

/** Settings of one run. The principal is who asks; `userId` is `'local'` by default. */
export interface RunOptions extends Partial<Principal> {
  /** The conversation to continue; a new one by default. At most 200 characters. */
  readonly conversationId?: string | undefined;
  /** Makes the run idempotent: the same id with the same body is the same run. At most 200 characters. */
  readonly requestId?: string | undefined;
  /** What to do when a run of the conversation is not finished; `'refuse'` by default. */
  readonly onBusy?: 'refuse' | 'queue' | 'supersede' | undefined;
  /** Replaces the assistant's instructions. */
  readonly instructions?: string | undefined;
  readonly toolChoice?: ModelRequest['toolChoice'] | undefined;
  readonly maxTurns?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** Tokens that the run may use over all its turns. */
  readonly tokenBudget?: number | undefined;
  /** Milliseconds that the run may take. */
  readonly timeoutMs?: number | undefined;
  /** A zod or JSON Schema of the answer, an object: `result().output` then has its type. */
  readonly output?: ToolSchema | undefined;
  /** Parameters of the provider, put into each request as they are. */
  readonly extra?: JsonObject | undefined;
}

/** Settings of one tool call made by the host. */
export type CallOptions = Pick<
  RunOptions,
  'conversationId' | 'onBusy' | 'requestId' | 'roles' | 'tenantId' | 'timeoutMs' | 'userId'
>;

/** Who attaches to a run, and from where. */
export interface AttachOptions extends Partial<Principal> {
  /** The cursor of an event: what follows it is given. Without it, everything. */
  readonly after?: string | undefined;
}

/** What a user may send: text, or parts with images and files. */
export type RunInputContent = string | readonly ContentPart[];

/** The bounds of runs where nothing else is said. */
export const defaultLimits: Limits = {
  maxTurns: 16,
  maxParallelCalls: 8,
  maxCallsPerTurn: 64,
  maxAnswerCharacters: 4_000_000,
  resultLimitBytes: 16_384,
  maxInputBytes: 20 * 1024 * 1024,
  historyMessages: 40,
  historyBytes: 32 * 1024 * 1024,
  queueLimit: 8,
  toolTimeoutMs: 60_000,
  runTimeoutMs: 15 * 60_000,
  connectTimeoutMs: 10_000,
  firstTokenTimeoutMs: 60_000,
  betweenTokensTimeoutMs: 20_000,
  modelRetries: 3,
  maxRetryWaitMs: 60_000,
  decideWithinMs: 24 * 60 * 60_000,
  useWithinMs: 15 * 60_000,
  cancelGraceMs: 5_000,
};

/** How ownership of runs is kept where nothing else is said. */
export const defaultLease: Lease = { ttlMs: 10_000, beatMs: 2_000, sweepMs: 1_000 };

/**
 * For a shorter silence after a process was lost: others go on within 8 seconds instead of 12 (p95). It costs twice the
 * beats and sweeps, and a process or a store that stands still for 3 seconds loses its runs. Use it as the `lease` of all
 * assistants that share their stores.
 *
 * @example
 * ```ts
 * import { Assistant, demoModel, fastLease } from '@steward/core';
 *
 * await using assistant = new Assistant({ model: demoModel(), lease: fastLease });
 * ```
 */
export const fastLease: Lease = { ttlMs: 4_000, beatMs: 1_000, sweepMs: 500 };

/** What runs may cost where nothing else is said. */
export const defaultBudgets: Budgets = { runTokens: null, userTokens: [], reserveTokens: 4_096 };
