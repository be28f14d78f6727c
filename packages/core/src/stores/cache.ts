import type { Json } from '../internal/json.ts';

/**
 * Values that can be had again at some cost, for a time. Any of them may be gone at any moment. What it gives is the
 * reader's to read, not to change.
 */
export interface Cache {
  /** The value, or `undefined`. */
  get(key: string): Promise<Json | undefined>;
  /** Keeps a value for so long. */
  set(key: string, value: Json, ttlMs: number): Promise<void>;
  /** Forgets a value, also one that is being loaded: what `load` saw before is not kept. Twice is no error. */
  delete(key: string): Promise<void>;
  /**
   * The value, or what `load` gives, which is then kept. Of many that ask at once, in all processes, one loads and the
   * others wait for it; when it fails, those who waited in its process get its error, the next one loads again.
   */
  getOrSet(key: string, ttlMs: number, load: () => Promise<Json>): Promise<Json>;
}
