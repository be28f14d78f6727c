import type { Telemetry, TelemetrySpan } from './telemetry.ts';

const span: TelemetrySpan = {
  set() {
    /* nothing is recorded */
  },
  end() {
    /* nothing is recorded */
  },
  run: (fn) => fn(),
};

/** The default: nothing is recorded. */
export const noTelemetry: Telemetry = {
  span: () => span,
  record() {
    /* nothing is recorded */
  },
};
