/** Whether a call may be made. */
export type BreakerAdmission =
  /** `isProbe`: the breaker is open and its cooling has ended; what comes of this call decides. */
  | { readonly allowed: true; readonly isProbe: boolean }
  | { readonly allowed: false; readonly retryAfterMs: number };

/**
 * What the circuit breakers of all processes know of each other: where one has opened, the others need not fail as well,
 * and after the cooling one call of all of them tries. Counting failures is up to each breaker.
 */
export interface BreakerStore {
  /** Asked before a call. One caller at a time may probe, and the next one when `probeMs` went by without word of it. */
  admit(name: string, probeMs: number): Promise<BreakerAdmission>;
  /** Refuses calls for so long, also after a probe that failed. Never shortens a cooling. */
  open(name: string, coolingMs: number): Promise<void>;
  /** Allows all calls, after a probe that succeeded. */
  close(name: string): Promise<void>;
}
