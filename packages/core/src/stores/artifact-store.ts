import type { ArtifactReference } from '../events/run-event.ts';
import type { Owner } from './run-store.ts';

/** A body to be kept. */
export interface NewArtifact extends Owner {
  readonly runId: string;
  readonly mediaType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Large results by reference. Ids cannot be guessed, and the owner is checked as well. */
export interface ArtifactStore {
  /** Whether this process alone can read what is kept here. Assistants whose engine is shared refuse such a store. */
  readonly isLocal: boolean;
  /** Keeps a body without holding all of it in memory. Throws `artifact_too_large`. */
  put(artifact: NewArtifact): Promise<ArtifactReference>;
  /** Bytes `start` (included) to `end` (excluded, the end by default); `null` when it is not the owner's or not there. */
  read(
    owner: Owner,
    artifactId: string,
    range?: { readonly start: number; readonly end?: number },
  ): Promise<{
    readonly reference: ArtifactReference;
    readonly body: AsyncIterable<Uint8Array>;
  } | null>;
  /** Deletes it; twice is no error. */
  delete(owner: Owner, artifactId: string): Promise<void>;
}
