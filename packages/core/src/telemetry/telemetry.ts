/** What a span or a measurement is about. Names follow OpenTelemetry's GenAI conventions. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that takes time. */
export interface TelemetrySpan {
  /** Adds what became known. */
  set(attributes: TelemetryAttributes): void;
  /** Ends it; with the error code when it failed. */
  end(errorCode?: string): void;
  /** Runs `fn` with this span as the parent of what it starts. */
  run<T>(fn: () => T): T;
}

/** Where spans and measurements go. Never throws and never waits. */
export interface Telemetry {
  /** Begins a span: `invoke_agent`, `chat`, `execute_tool`. */
  span(name: string, attributes: TelemetryAttributes): TelemetrySpan;
  /** Records one value of a histogram, in the unit its name's convention says. */
  record(metric: string, value: number, attributes: TelemetryAttributes): void;
}
