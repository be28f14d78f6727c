import { onTestFinished } from 'vitest';
import type { ArtifactStore, NewArtifact } from '../../src/stores/artifact-store.ts';
import { FileArtifactStore } from '../../src/stores/in-process/file-artifact-store.ts';

/** The in-process store, and the pieces that each artifact was given in. */
export function artifactStore(): ArtifactStore & { readonly pieces: Map<string, Uint8Array[]> } {
  const store = new FileArtifactStore({
    artifactBytes: 200_000_000,
    artifactsBytes: 1_000_000_000,
  });
  onTestFinished(() => store.close());
  const pieces = new Map<string, Uint8Array[]>();
  return {
    isLocal: true,
    pieces,
    async put(artifact) {
      const given: Uint8Array[] = [];
      const reference = await store.put({ ...artifact, body: watched(artifact.body, given) });
      pieces.set(reference.artifactId, given);
      return reference;
    },
    read: (owner, artifactId, range) => store.read(owner, artifactId, range),
    delete: (owner, artifactId) => store.delete(owner, artifactId),
  };
}

async function* watched(
  body: NewArtifact['body'],
  given: Uint8Array[],
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    given.push(piece);
    yield piece;
  }
}
