import type { Telemetry, TelemetrySpan } from './telemetry.ts';

const span: TelemetrySpan = { set() {}, end() {}, run: (fn) => fn() };

/** The default: nothing is recorded. */
export const noTelemetry: Telemetry = { span: () => span, record() {} };
