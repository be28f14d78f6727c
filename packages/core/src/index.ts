// The public door of @steward/core, grouped as in the docs.

// The assistant and its runs
export { Assistant } from './assistant.ts';
export { InProcessEngine, type InProcessEngineOptions } from './engine/in-process-engine.ts';
export type { EngineStats, RunEngine, SegmentHandler } from './engine/run-engine.ts';
// Errors and basics
export { type ErrorCode, errorCodes } from './errors/error-codes.ts';
export { StewardError, type StewardErrorOptions } from './errors/steward-error.ts';
export type { ConversationMessage } from './events/conversation-message.ts';
export type { LiveLog, LogKey, LogReader, LogWriter } from './events/live-log.ts';
export type {
  AssistantMessage,
  ContentPart,
  Message,
  MessageToolCall,
  SystemMessage,
  ToolMessage,
  UserMessage,
} from './events/message.ts';
// Events
export * from './events/run-event.ts';
export type { Clock } from './internal/clock.ts';
export type { CrashPointHook, CrashPointName } from './internal/crash-point.ts';
export type { Json, JsonObject } from './internal/json.ts';
export type { ServerState } from './mcp/pooled-server.ts';
export type { HttpServerConfig, McpServerConfig, StdioServerConfig } from './mcp/server-config.ts';
// Models
export { type CollectedToolCall, type CollectedTurn, collectTurn } from './model/collect-turn.ts';
export { type DemoModelOptions, demoModel } from './model/demo-model.ts';
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
  ModelStart,
  ModelText,
  ModelToolCall,
} from './model/model-events.ts';
export { type OpenAIModelOptions, openaiModel } from './model/openai-model.ts';
export {
  type AssistantOptions,
  type CallOptions,
  defaultBudgets,
  defaultLease,
  defaultLimits,
  type RunInputContent,
  type RunOptions,
} from './options.ts';
// Policies
export type { Budgets } from './policies/budgets.ts';
export type { Masking } from './policies/masking.ts';
export { Run, type RunParts, type RunVerbs } from './run/run.ts';
export type { RunSource } from './run/run-reader.ts';
export type { RunResult, ToolCallSummary } from './run/run-result.ts';
export type { Lease, Limits, PrepareTurn, TurnOverrides } from './run/run-settings.ts';
// Stores, engine, telemetry
export * from './stores/artifact-store.ts';
export { chainEntry, verifyChain } from './stores/audit-chain.ts';
export * from './stores/audit-log.ts';
export * from './stores/conversation-store.ts';
export {
  type InProcessStoresOptions,
  inProcessStores,
} from './stores/in-process/in-process-stores.ts';
export * from './stores/rate-limiter.ts';
export * from './stores/run-store.ts';
export type { Stores } from './stores/stores.ts';
export * from './stores/tool-server-store.ts';
export * from './stores/usage-store.ts';
export { noTelemetry } from './telemetry/no-telemetry.ts';
export type { Telemetry, TelemetryAttributes, TelemetrySpan } from './telemetry/telemetry.ts';
// Tools
export { type ToolOptions, tool } from './tools/define-tool.ts';
export type {
  ConfirmContext,
  ConfirmRule,
  Principal,
  Tool,
  ToolContext,
  Validation,
} from './tools/tool.ts';
export type { ArgumentsOf, ToolSchema } from './tools/tool-schema.ts';
