// The entry `@steward/core/opentelemetry`: apart, so that only its users need `@opentelemetry/api`.
import {
  context,
  type Histogram,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type {
  Telemetry,
  TelemetryAttributes,
  TelemetryMetric,
  TelemetryOperation,
  TelemetrySpan,
} from './telemetry.ts';

const instrumentation = '@steward/core';

const units: Readonly<Record<TelemetryMetric, string>> = {
  'gen_ai.client.token.usage': '{token}',
  'gen_ai.client.operation.duration': 's',
  'gen_ai.client.operation.time_to_first_chunk': 's',
};

/** Providers to use instead of the ones registered globally. */
export interface OpenTelemetryOptions {
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
}

/**
 * Sends what runs do to OpenTelemetry, by its GenAI conventions: a span per run (`invoke_agent`), model turn (`chat`)
 * and tool call (`execute_tool`), and histograms of tokens, durations and the time to the first piece. Messages,
 * arguments and results are never recorded. Uses the globally registered providers unless others are given.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/
 * @example
 * ```ts
 * import { Assistant, demoModel } from '@steward/core';
 * import { openTelemetry } from '@steward/core/opentelemetry';
 *
 * const assistant = new Assistant({ model: demoModel(), telemetry: openTelemetry() });
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const tracer = (options.tracerProvider ?? trace).getTracer(instrumentation);
  const meter = (options.meterProvider ?? metrics).getMeter(instrumentation);
  const histograms = new Map<TelemetryMetric, Histogram>();
  const histogram = (metric: TelemetryMetric): Histogram => {
    const known = histograms.get(metric);
    if (known) return known;
    const made = meter.createHistogram(metric, { unit: units[metric] });
    histograms.set(metric, made);
    return made;
  };
  return {
    span(operation, attributes) {
      const span = tracer.startSpan(spanName(operation, attributes), {
        kind: operation === 'chat' ? SpanKind.CLIENT : SpanKind.INTERNAL,
        attributes: { 'gen_ai.operation.name': operation, ...attributes },
      });
      return telemetrySpan(span);
    },
    record: (metric, value, attributes) => histogram(metric).record(value, attributes),
  };
}

/** The operation and what it is about, as the conventions have it. */
function spanName(operation: TelemetryOperation, attributes: TelemetryAttributes): string {
  const subject = attributes['gen_ai.tool.name'] ?? attributes['gen_ai.request.model'];
  return subject === undefined ? operation : `${operation} ${subject}`;
}

function telemetrySpan(span: Span): TelemetrySpan {
  return {
    set: (attributes) => void span.setAttributes(attributes),
    end(errorCode) {
      if (errorCode !== undefined) {
        span.setAttribute('error.type', errorCode);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
    run: (fn) => context.with(trace.setSpan(context.active(), span), fn),
  };
}
