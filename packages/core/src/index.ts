// The public door of @steward/core, grouped as in the docs. Named exports only.

// The assistant and its runs
export { Assistant } from './assistant.ts';
export {
  type AssistantOptions,
  type AttachOptions,
  type CallOptions,
  defaultBudgets,
  defaultLease,
  defaultLimits,
  fastLease,
  type RunInputContent,
  type RunOptions,
} from './options.ts';
export { Run } from './run/run.ts';
export type { RunResult, ToolCallSummary } from './run/run-result.ts';
export type { Lease, Limits, PrepareTurn, TurnOverrides } from './run/run-settings.ts';

// Events and messages
export {
  type ArtifactReference,
  type CancelledEvent,
  type CompleteEvent,
  type CompleteReason,
  type ConfirmationEvent,
  type Effect,
  type ErrorEvent,
  type InputRequestedEvent,
  isTerminal,
  type PendingConfirmation,
  type PendingInput,
  type ReasoningEvent,
  type RunEvent,
  type RunEventOf,
  type RunEventType,
  type RunStartedEvent,
  type RunStatus,
  type SnapshotEvent,
  type SteeredEvent,
  type TerminalEvent,
  type TokenEvent,
  type ToolOutcome,
  type ToolProgressEvent,
  type ToolRequestEvent,
  type ToolResultEvent,
  type ToolStartedEvent,
  type TurnResetEvent,
  type Usage,
  type UsageEvent,
  type WarningEvent,
} from './events/run-event.ts';
export type { ConversationMessage } from './events/conversation-message.ts';
export type {
  AssistantMessage,
  ContentPart,
  Message,
  MessageToolCall,
  SystemMessage,
  ToolMessage,
  UserMessage,
} from './events/message.ts';

// Models
export { type CollectedToolCall, type CollectedTurn, collectTurn } from './model/collect-turn.ts';
export { type DemoModelOptions, demoModel } from './model/demo-model.ts';
export type { BackgroundModel } from './model/background-model.ts';
export { type OpenAIModelOptions, openaiModel } from './model/openai-model.ts';
export type {
  ModelCallOptions,
  ModelClient,
  ModelRequest,
  ToolDefinition,
} from './model/model-client.ts';
export type {
  FinishReason,
  ModelError,
  ModelEvent,
  ModelFailure,
  ModelFinish,
  ModelProgress,
  ModelReasoning,
  ModelRefusal,
  ModelReset,
  ModelResumable,
  ModelStart,
  ModelText,
  ModelToolCall,
} from './model/model-events.ts';

// Tools and tool servers
export { tool, type ToolOptions } from './tools/define-tool.ts';
export type { ArgumentsOf, ToolSchema } from './tools/tool-schema.ts';
export type {
  ConfirmContext,
  ConfirmRule,
  Principal,
  Tool,
  ToolContext,
  Validation,
} from './tools/tool.ts';
export type { ChangedTool, RefusedTool } from './mcp/mcp-tool.ts';
export type { ClientAuth, UserAuth } from './mcp/server-auth.ts';
export type { PromptArguments, PromptMessage, ServerPrompt } from './mcp/server-prompts.ts';
export type { ServerState } from './mcp/server-state.ts';
export type {
  HttpServerConfig,
  McpServerConfig,
  McpServerOptions,
  RestServerConfig,
  StdioServerConfig,
} from './mcp/server-config.ts';

// Policies
export type { Budgets } from './policies/budgets.ts';
export type { Masking } from './policies/masking.ts';

// Stores and what they hold
export {
  inProcessStores,
  type InProcessStoresOptions,
} from './stores/in-process/in-process-stores.ts';
export type { Stores } from './stores/stores.ts';
export type {
  CallRecord,
  CallResult,
  CallStatus,
  Claim,
  ClaimRequest,
  CommittedTurn,
  ConfirmationRecord,
  ConfirmationStatus,
  CreateOutcome,
  DecideOutcome,
  Decision,
  Fence,
  HistoryWindow,
  InputRecord,
  NewRun,
  Owner,
  PartialText,
  PlannedCall,
  Renewal,
  RunEnd,
  RunHead,
  RunInput,
  RunRecord,
  RunStore,
  StartOutcome,
  SteerRecord,
  StoredEvent,
  Wake,
} from './stores/run-store.ts';
export type { ConversationStore, ConversationSummary } from './stores/conversation-store.ts';
export type { ArtifactStore, NewArtifact } from './stores/artifact-store.ts';
export {
  type Reservation,
  turnReservation,
  type UsageLimit,
  type UsageReading,
  type UsageStore,
} from './stores/usage-store.ts';
export type { RateLimit, RateLimiter, RateTake } from './stores/rate-limiter.ts';
export type { BreakerAdmission, BreakerStore } from './stores/breaker-store.ts';
export type { Hint, Hints } from './stores/hints.ts';
export { chainEntry, verifyChain } from './stores/audit-chain.ts';
export type { AuditEntry, AuditLog, AuditRecord, AuditVerdict } from './stores/audit-log.ts';
export type { CredentialStore } from './stores/credential-store.ts';
export type { ToolServerRecord, ToolServerStore } from './stores/tool-server-store.ts';
export type { LiveLog, LogKey, LogReader, LogWake, LogWriter } from './events/live-log.ts';

// Engine and telemetry
export { InProcessEngine, type InProcessEngineOptions } from './engine/in-process-engine.ts';
export type { EngineStats, RunEngine, SegmentHandler } from './engine/run-engine.ts';
export type {
  Telemetry,
  TelemetryAttributes,
  TelemetryMetric,
  TelemetryOperation,
  TelemetrySpan,
} from './telemetry/telemetry.ts';

// Errors and basics
export { type ErrorCode, type ErrorCodeEntry, errorCodes } from './errors/error-codes.ts';
export { StewardError, type StewardErrorOptions } from './errors/steward-error.ts';
export type { Clock } from './internal/clock.ts';
export {
  type CrashPointHook,
  type CrashPointName,
  crashPointNames,
} from './internal/crash-point.ts';
export type { Json, JsonObject } from './internal/json.ts';
