import { randomUUID } from 'node:crypto';
import {
  type ArtifactReference,
  type ArtifactStore,
  type NewArtifact,
  type Owner,
  StewardError,
} from '@steward/core';
import type { Database } from '../database/database.ts';
import { inChunks } from './chunks.ts';

/** Small enough to hold, large enough that a body of the largest size is 64 statements. */
const chunkBytes = 256 * 1024;

/** An ArtifactStore whose bodies are kept in chunks, so that none is ever wholly in memory. */
export class PostgresArtifactStore implements ArtifactStore {
  readonly isLocal: boolean;
  readonly #db: Database;
  readonly #maxBytes: number;

  constructor(db: Database, maxBytes: number) {
    this.isLocal = db.driver.isEmbedded;
    this.#db = db;
    this.#maxBytes = maxBytes;
  }

  async put(artifact: NewArtifact): Promise<ArtifactReference> {
    const artifactId = `artifact_${randomUUID().replaceAll('-', '')}`;
    try {
      const bytes = await this.#putBody(artifactId, artifact);
      return { artifactId, bytes, mediaType: artifact.mediaType };
    } catch (reason) {
      // Nobody can read what is not complete, and retention finds it when this fails as well.
      await this.delete(artifact, artifactId).catch(() => {});
      throw reason;
    }
  }

  async read(
    owner: Owner,
    artifactId: string,
    range: { readonly start: number; readonly end?: number } = { start: 0 },
  ) {
    const values = [artifactId, owner.tenantId, owner.userId];
    const reference = await this.#db.call<ArtifactReference | null>(
      'read_artifact',
      values,
      'repeatable',
    );
    if (reference === null) return null;
    const end = Math.min(range.end ?? reference.bytes, reference.bytes);
    return { reference, body: this.#readBody(artifactId, range.start, end) };
  }

  async delete({ tenantId, userId }: Owner, artifactId: string): Promise<void> {
    await this.#db.run('delete_artifact', [artifactId, tenantId, userId], 'repeatable');
  }

  async #putBody(artifactId: string, artifact: NewArtifact): Promise<number> {
    const { tenantId, userId, runId, mediaType } = artifact;
    let bytes = 0;
    let chunkNo = 0;
    for await (const { chunk, isLast } of inChunks(this.#bounded(artifact.body), chunkBytes)) {
      bytes += chunk.byteLength;
      const values = [artifactId, tenantId, userId, runId, mediaType];
      const body = [chunkNo, chunk, isLast ? bytes : null];
      await this.#db.run('add_artifact_chunk', [...values, ...body], 'repeatable');
      chunkNo += 1;
    }
    return bytes;
  }

  async *#bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.byteLength;
      if (bytes > this.#maxBytes) {
        throw new StewardError(
          'artifact_too_large',
          `An artifact takes at most ${this.#maxBytes} bytes.`,
        );
      }
      yield piece;
    }
  }

  async *#readBody(artifactId: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; ) {
      const chunkNo = Math.floor(at / chunkBytes);
      const from = at - chunkNo * chunkBytes;
      const to = Math.min(chunkBytes, end - chunkNo * chunkBytes);
      const piece = await this.#db.bytes('read_artifact_chunk', [artifactId, chunkNo, from, to]);
      if (piece === undefined) {
        throw new StewardError(
          'not_found',
          `Artifact ${artifactId} was deleted while it was read.`,
        );
      }
      yield piece;
      at += piece.byteLength;
    }
  }
}
