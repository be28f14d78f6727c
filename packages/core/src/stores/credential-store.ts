import type { JsonObject } from '../internal/json.ts';
import type { Owner } from './run-store.ts';

/**
 * Secrets by owner and name: the tokens with which tool servers are called for a user. A store that outlives the process
 * encrypts them. What belongs to the host itself is kept for the owner whose two names are empty.
 */
export interface CredentialStore {
  /** What is kept under the name, or `null`. */
  get(owner: Owner, name: string): Promise<JsonObject | null>;
  /** Keeps it, instead of what was there. */
  put(owner: Owner, name: string, secret: JsonObject): Promise<void>;
  /** Deletes it; twice is no error. */
  delete(owner: Owner, name: string): Promise<void>;
}
