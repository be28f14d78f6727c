import assert from 'node:assert/strict';
import type { ArtifactStore } from '../../stores/artifact-store.ts';
import type { Owner } from '../../stores/run-store.ts';
import { atOnce, rejectsWith } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type ArtifactStoreSubject = { readonly artifacts: ArtifactStore };

/** How the suite gets hold of an ArtifactStore. */
export interface ArtifactStoreDriver<S> extends SuiteDriver<S> {
  /** Bytes that one artifact may have in the stores that `open` gives; at least 2 MiB, and small enough to exceed. */
  readonly artifactBytes: number;
}

const owner: Owner = { tenantId: 'tenant-1', userId: 'user-1' };
const strangers: readonly Owner[] = [
  { tenantId: 'tenant-1', userId: 'user-2' },
  { tenantId: 'tenant-2', userId: 'user-1' },
];
const pieceBytes = 64 * 1024;

/** Bytes that repeat with a period that is no power of two, so that a misplaced piece shows. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

async function* inPieces(body: Uint8Array, size = pieceBytes): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < body.length; start += size) yield body.subarray(start, start + size);
}

async function put({ artifacts }: ArtifactStoreSubject, body: Uint8Array, size?: number) {
  return artifacts.put({
    ...owner,
    runId: 'run-1',
    mediaType: 'application/octet-stream',
    body: inPieces(body, size),
  });
}

async function read(
  { artifacts }: ArtifactStoreSubject,
  artifactId: string,
  range?: { start: number; end?: number },
): Promise<Uint8Array | null> {
  const found = await artifacts.read(owner, artifactId, range);
  if (found === null) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of found.body) pieces.push(piece);
  return Buffer.concat(pieces);
}

function assertSame(actual: Uint8Array | null, expected: Uint8Array): void {
  assert.ok(actual !== null, 'the artifact should be there');
  assert.equal(Buffer.compare(actual, expected), 0, 'the bytes should be the same');
}

/** Everything that an ArtifactStore with this limit promises. */
export function artifactStoreCases(
  artifactBytes: number,
): readonly SuiteCase<ArtifactStoreSubject>[] {
  return [
    ...keepingCases,
    {
      title: 'takes a body as large as allowed and refuses a larger one, keeping nothing of it',
      async run({ store }) {
        await put(store, bytes(artifactBytes));
        let asked = 0;
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (; asked <= artifactBytes + 10 * pieceBytes; asked += pieceBytes) {
            yield new Uint8Array(pieceBytes);
          }
        }
        const body = endless();
        const artifact = { ...owner, runId: 'run-1', mediaType: 'text/plain', body };
        await rejectsWith('artifact_too_large', store.artifacts.put(artifact));
        assert.ok(asked <= artifactBytes + pieceBytes, 'it should stop reading');
      },
    },
  ];
}

const keepingCases: readonly SuiteCase<ArtifactStoreSubject>[] = [
  {
    title: 'keeps bodies of 0 bytes to 2 MiB, however they are cut',
    async run({ store }) {
      for (const [length, size] of [
        [0, 1],
        [1, 1],
        [1_000, 7],
        [pieceBytes, pieceBytes],
        [2 * 1024 * 1024, 50_000],
      ] as const) {
        const body = bytes(length);
        const reference = await put(store, body, size);
        assert.deepEqual(
          [reference.bytes, reference.mediaType],
          [length, 'application/octet-stream'],
        );
        assertSame(await read(store, reference.artifactId), body);
      }
    },
  },
  {
    title: 'reads ranges: the start is included, the end is not, beyond the end is nothing',
    async run({ store }) {
      const body = bytes(200_000);
      const { artifactId } = await put(store, body);
      for (const [start, end] of [
        [0, 1],
        [10, 10],
        [65_535, 65_537],
        [199_990, undefined],
        [150_000, 900_000],
        [200_000, undefined],
        [500_000, 600_000],
      ] as const) {
        const range = end === undefined ? { start } : { start, end };
        assertSame(await read(store, artifactId, range), body.subarray(start, end));
      }
    },
  },
  {
    title: 'gives out the reference with the body, and ids that cannot be guessed',
    async run({ store }) {
      const one = await put(store, bytes(3));
      const two = await put(store, bytes(3));
      assert.notEqual(one.artifactId, two.artifactId);
      assert.ok(one.artifactId.length >= 22, 'at least 128 bits');
      const found = await store.artifacts.read(owner, one.artifactId);
      assert.deepEqual(found?.reference, one);
    },
  },
  {
    title: 'shows and deletes artifacts for their owner only',
    async run({ store }) {
      const { artifactId } = await put(store, bytes(10));
      for (const stranger of strangers) {
        assert.equal(await store.artifacts.read(stranger, artifactId), null);
        await store.artifacts.delete(stranger, artifactId);
      }
      assertSame(await read(store, artifactId), bytes(10));
    },
  },
  {
    title: 'knows no ids but its own',
    async run({ store }) {
      for (const id of ['artifact_unknown', '../../etc/passwd', '', '/etc/passwd', '%2e%2e']) {
        assert.equal(await store.artifacts.read(owner, id), null);
        await store.artifacts.delete(owner, id);
      }
    },
  },
  {
    title: 'deletes an artifact, twice without an error',
    async run({ store }) {
      const { artifactId } = await put(store, bytes(10));
      await store.artifacts.delete(owner, artifactId);
      await store.artifacts.delete(owner, artifactId);
      assert.equal(await store.artifacts.read(owner, artifactId), null);
    },
  },
  {
    title: 'keeps nothing of a body that broke off, and says what happened',
    async run({ store }) {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes(100);
        throw new RangeError('the source broke');
      }
      const artifact = { ...owner, runId: 'run-1', mediaType: 'text/plain', body: broken() };
      await assert.rejects(store.artifacts.put(artifact), /the source broke/);
    },
  },
  {
    title: 'does not mind a reader that leaves early or never reads',
    async run({ store }) {
      const { artifactId } = await put(store, bytes(1024 * 1024));
      await store.artifacts.read(owner, artifactId);
      const left = await store.artifacts.read(owner, artifactId);
      for await (const piece of left?.body ?? []) {
        assert.ok(piece.length > 0);
        break;
      }
      assertSame(await read(store, artifactId), bytes(1024 * 1024));
    },
  },
  {
    title: 'keeps apart what is put at the same time',
    async run({ store }) {
      const references = await atOnce(10, (index) => put(store, bytes(10_000 + index), 997));
      for (const [index, { artifactId }] of references.entries()) {
        assertSame(await read(store, artifactId), bytes(10_000 + index));
      }
    },
  },
  {
    title: 'keeps artifacts over a restart',
    async run(context) {
      const { artifactId } = await put(context.store, bytes(100));
      assertSame(await read(await context.reopen(), artifactId), bytes(100));
    },
  },
];

/**
 * Registers the conformance tests of an {@link ArtifactStore} with vitest. Call and await it at the top of a test file of
 * your implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { testArtifactStore } from '@steward/core/testing';
 *
 * const artifactBytes = 3 * 1024 * 1024;
 * await testArtifactStore('inProcessStores().artifacts', {
 *   artifactBytes,
 *   open: async () => inProcessStores({ artifactBytes }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testArtifactStore<S extends ArtifactStoreSubject>(
  name: string,
  driver: ArtifactStoreDriver<S>,
): Promise<void> {
  await registerSuite(
    `${name} is an ArtifactStore`,
    artifactStoreCases(driver.artifactBytes),
    driver,
  );
}
