import type { ArtifactStore } from '../artifact-store.ts';
import type { ArtifactLimits, FileArtifactStore } from './file-artifact-store.ts';

/** An ArtifactStore in temporary files. Files are touched, and the code for them loaded, with the first artifact. */
export function inProcessArtifactStore(
  limits: ArtifactLimits,
): ArtifactStore & { close(): Promise<void> } {
  let opening: Promise<FileArtifactStore> | undefined;
  const open = async () => {
    const { FileArtifactStore } = await import('./file-artifact-store.ts');
    return new FileArtifactStore(limits);
  };
  const files = () => {
    opening ??= open();
    return opening;
  };
  return {
    isLocal: true,
    put: async (artifact) => (await files()).put(artifact),
    read: async (owner, artifactId, range) => (await files()).read(owner, artifactId, range),
    delete: async (owner, artifactId) => (await files()).delete(owner, artifactId),
    close: async () => (await files()).close(),
  };
}
