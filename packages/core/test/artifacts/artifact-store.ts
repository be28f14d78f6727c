import type { ArtifactStore } from '../../src/stores/artifact-store.ts';

/** An artifact store that shows what it was given, in pieces. */
export function artifactStore(): ArtifactStore & {
  readonly pieces: Map<string, readonly Uint8Array[]>;
} {
  const pieces = new Map<string, readonly Uint8Array[]>();
  const kept = new Map<
    string,
    { readonly mediaType: string; readonly tenantId: string; readonly userId: string }
  >();
  return {
    pieces,
    async put({ body, mediaType, tenantId, userId }) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      const artifactId = `art_${pieces.size + 1}`;
      pieces.set(artifactId, chunks);
      kept.set(artifactId, { mediaType, tenantId, userId });
      return { artifactId, mediaType, bytes: Buffer.concat(chunks).length };
    },
    async read(owner, artifactId, { start, end } = { start: 0 }) {
      const found = kept.get(artifactId);
      if (found?.userId !== owner.userId || found.tenantId !== owner.tenantId) return null;
      const whole = Buffer.concat(pieces.get(artifactId) ?? []);
      const reference = { artifactId, bytes: whole.length, mediaType: found.mediaType };
      return { reference, body: inPieces(whole.subarray(start, end)) };
    },
    async delete(_owner, artifactId) {
      pieces.delete(artifactId);
      kept.delete(artifactId);
    },
  };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}
