/** What a span or a measurement is about, by the attribute names of OpenTelemetry's GenAI conventions. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>;

/** What spans are made of: a run, a model turn, a tool call. */
export type TelemetryOperation = 'invoke_agent' | 'chat' | 'execute_tool';

/** What is measured: tokens, and durations in seconds. */
export type TelemetryMetric =
  | 'gen_ai.client.token.usage'
  | 'gen_ai.client.operation.duration'
  | 'gen_ai.client.operation.time_to_first_chunk';

/** Something that takes time. */
export interface TelemetrySpan {
  /** Adds what became known. */
  set(attributes: TelemetryAttributes): void;
  /** Ends it; with the error code when it failed. */
  end(errorCode?: string): void;
  /** Runs `fn` with this span as the parent of what it starts. */
  run<T>(fn: () => T): T;
}

/**
 * Where spans and measurements go. Never throws and never waits. `openTelemetry()` of `@steward/core/opentelemetry` is
 * the implementation for OpenTelemetry.
 */
export interface Telemetry {
  /** Begins a span. */
  span(operation: TelemetryOperation, attributes: TelemetryAttributes): TelemetrySpan;
  /** Records one value. */
  record(metric: TelemetryMetric, value: number, attributes: TelemetryAttributes): void;
}
