import { createReadStream, rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StewardError } from '../../errors/steward-error.ts';
import type { ArtifactReference } from '../../events/run-event.ts';
import { newId } from '../../internal/ids.ts';
import type { ArtifactStore, NewArtifact } from '../artifact-store.ts';
import type { Owner } from '../run-store.ts';
import { AgingMap } from './aging-map.ts';
import { belongsTo } from './database.ts';

/** How much is kept. */
export interface ArtifactLimits {
  /** Bytes of one artifact; more is `artifact_too_large`. */
  readonly artifactBytes: number;
  /** Bytes of all together; beyond it the oldest is deleted. */
  readonly artifactsBytes: number;
}

interface Kept extends Owner {
  readonly reference: ArtifactReference;
  readonly path: string;
}

/** An ArtifactStore in files that only this user can read, deleted on close. The directory is made when first needed. */
export class FileArtifactStore implements ArtifactStore {
  readonly isLocal = true;
  readonly #limits: ArtifactLimits;
  readonly #kept = new AgingMap<string, Kept>();
  #directory: Promise<string> | undefined;
  #onExit: () => void = () => {};
  #isClosed = false;
  #bytes = 0;

  constructor(limits: ArtifactLimits) {
    this.#limits = limits;
  }

  async put(artifact: NewArtifact): Promise<ArtifactReference> {
    const artifactId = newId('artifact');
    const path = join(await this.#openDirectory(), artifactId);
    try {
      const bytes = await writeFile(path, artifact.body, this.#limits.artifactBytes);
      const { tenantId, userId, mediaType } = artifact;
      const reference = Object.freeze({ artifactId, bytes, mediaType });
      this.#kept.set(artifactId, { tenantId, userId, reference, path });
      this.#bytes += bytes;
      await this.#makeRoom();
      return reference;
    } catch (reason) {
      await rm(path, { force: true });
      throw reason;
    }
  }

  async read(
    owner: Owner,
    artifactId: string,
    range: { readonly start: number; readonly end?: number } = { start: 0 },
  ) {
    const kept = this.#kept.get(artifactId);
    if (kept === undefined || !belongsTo(kept, owner)) return null;
    return { reference: kept.reference, body: readFile(kept, range) };
  }

  async delete(owner: Owner, artifactId: string): Promise<void> {
    const kept = this.#kept.get(artifactId);
    if (kept === undefined || !belongsTo(kept, owner)) return;
    this.#kept.delete(artifactId);
    await this.#deleteFile(kept);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#kept.clear();
    process.off('exit', this.#onExit);
    const directory = await this.#directory;
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }

  async #openDirectory(): Promise<string> {
    if (this.#isClosed) throw new StewardError('closed', 'The stores were closed; make new ones.');
    this.#directory ??= this.#makeDirectory();
    try {
      return await this.#directory;
    } catch (reason) {
      this.#directory = undefined;
      throw StewardError.from(reason, 'store_unavailable');
    }
  }

  async #makeDirectory(): Promise<string> {
    // 0700: mkdtemp makes directories for their owner alone.
    const path = await mkdtemp(join(tmpdir(), 'steward-artifacts-'));
    // A process that ends without closing leaves nothing behind.
    this.#onExit = () => rmSync(path, { recursive: true, force: true });
    process.once('exit', this.#onExit);
    return path;
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > this.#limits.artifactsBytes) {
      const [, oldest] = this.#kept.shift() ?? [];
      if (oldest === undefined) return;
      await this.#deleteFile(oldest);
    }
  }

  async #deleteFile({ reference, path }: Kept): Promise<void> {
    this.#bytes -= reference.bytes;
    await rm(path, { force: true });
  }
}

async function writeFile(
  path: string,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new StewardError(
          'artifact_too_large',
          `An artifact takes at most ${maxBytes} bytes.`,
        );
      }
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/** Opens the file when the first bytes are asked for, so that a body that nobody reads costs nothing. */
async function* readFile(
  { path, reference }: Kept,
  range: { readonly start: number; readonly end?: number },
): AsyncGenerator<Uint8Array> {
  const end = Math.min(range.end ?? reference.bytes, reference.bytes);
  if (range.start >= end) return;
  yield* createReadStream(path, { start: range.start, end: end - 1 });
}
