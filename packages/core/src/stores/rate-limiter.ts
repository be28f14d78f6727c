/** How many in how much time. */
export interface RateLimit {
  readonly points: number;
  readonly windowMs: number;
}

/** What came of taking. */
export type RateTake =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly retryAfterMs: number };

/** Counts events per key in windows of time. */
export interface RateLimiter {
  /** Takes `cost` points of the key if the limit has them left; takes nothing otherwise. */
  take(key: string, limit: RateLimit, cost?: number): Promise<RateTake>;
}
