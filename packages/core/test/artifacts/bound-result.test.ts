import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import {
  type BoundOptions,
  boundResult,
  DEFAULT_RESULT_LIMIT_BYTES,
} from '../../src/artifacts/bound-result.ts';
import { StewardError } from '../../src/errors/steward-error.ts';
import { ToolContent } from '../../src/tools/tool-content.ts';
import { artifactStore } from './artifact-store.ts';

function setUp(change: Partial<BoundOptions> = {}) {
  const artifacts = artifactStore();
  const options: BoundOptions = {
    artifacts,
    owner: { tenantId: 'acme', userId: 'ann' },
    runId: 'run_1',
    limitBytes: DEFAULT_RESULT_LIMIT_BYTES,
    signal: new AbortController().signal,
    ...change,
  };
  return {
    bound: (value: unknown) => boundResult(value, options),
    body: (artifactId = '') => Buffer.concat(artifacts.pieces.get(artifactId) ?? []),
    pieces: (artifactId = '') => artifacts.pieces.get(artifactId) ?? [],
    count: () => artifacts.pieces.size,
  };
}

test.each<[string, unknown, string]>([
  ['text as it is', 'hello', 'hello'],
  ['nothing as a word', undefined, 'Done. The tool gave no result.'],
  ['null', null, 'null'],
  ['numbers', 7.5, '7.5'],
  [
    'objects as JSON',
    { a: [1, 'b'], at: new Date(0) },
    '{"a":[1,"b"],"at":"1970-01-01T00:00:00.000Z"}',
  ],
  ['lone surrogates replaced', 'a\uD800b', 'a\uFFFDb'],
  ['NUL left out', 'a\0b', 'ab'],
  ['bytes that are text', new TextEncoder().encode('grüße'), 'grüße'],
  ['empty text', '', ''],
  ['the longest text that fits', 'x'.repeat(16_384), 'x'.repeat(16_384)],
])('gives %s', async (_, value, content) => {
  const { bound, count } = setUp();
  await expect(bound(value)).resolves.toEqual({ outcome: 'succeeded', content });
  expect(count()).toBe(0);
});

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

test.each<[string, unknown]>([
  ['a cyclic object', cyclic],
  ['a BigInt', 10n],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  [
    'an object whose toJSON throws',
    {
      toJSON: () => {
        throw new Error('no');
      },
    },
  ],
  [
    'an object whose toJSON throws something strange',
    {
      toJSON: () => {
        throw Object.create(null);
      },
    },
  ],
  [
    'a revoked proxy',
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  ],
  ['a stream of objects', Readable.from([{ a: 1 }])],
])('%s is a failure that says that the tool ran', async (_, value) => {
  const { bound } = setUp();
  const result = await bound(value);
  expect(result).toMatchObject({ outcome: 'failed', code: 'tool_failed' });
  expect(result.content).toMatch(
    /^The tool ran and may have taken effect, but its result cannot be read: ./,
  );
});

test('a large text goes to the artifact store in pieces, and its beginning to the model', async () => {
  const { bound, body, pieces } = setUp();
  const text = 'äöü\n'.repeat(50_000);
  const { content, artifact, outcome } = await bound(text);
  expect(outcome).toBe('succeeded');
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(DEFAULT_RESULT_LIMIT_BYTES);
  expect(artifact).toMatchObject({ bytes: 350_000, mediaType: 'text/plain' });
  expect(content.startsWith('äöü\n'.repeat(1_000))).toBe(true);
  expect(content).toContain('of 350000 bytes');
  expect(content).toContain(`artifact ${artifact?.artifactId}`);
  expect(content).toContain('read_artifact');
  expect(body(artifact?.artifactId).toString()).toBe(text);
  expect(Math.max(...pieces(artifact?.artifactId).map(({ length }) => length))).toBeLessThanOrEqual(
    3 * 64 * 1_024 + 1,
  );
});

test('the beginning and the pieces are cut between code points', async () => {
  for (const offset of ['', 'x', 'xx', 'xxx']) {
    const { bound, body } = setUp();
    const text = offset + '😀'.repeat(70_000);
    const { content, artifact } = await bound(text);
    expect(content).not.toContain('\uFFFD');
    expect(body(artifact?.artifactId).toString()).toBe(text);
  }
});

test('a text of 100 MB is never held a second time', async () => {
  let bytes = 0;
  let longest = 0;
  const artifacts = artifactStore();
  const { bound } = setUp({
    artifacts: {
      ...artifacts,
      async put({ body, mediaType }) {
        for await (const chunk of body) {
          bytes += chunk.length;
          longest = Math.max(longest, chunk.length);
        }
        return { artifactId: 'art_1', bytes, mediaType };
      },
    },
  });
  const text = 'x'.repeat(100 * 1024 * 1024);
  await expect(bound(text)).resolves.toMatchObject({ outcome: 'succeeded' });
  expect(bytes).toBe(100 * 1024 * 1024);
  expect(longest).toBe(64 * 1024);
});

test('large JSON is kept as JSON', async () => {
  const { bound, body } = setUp();
  const value = { rows: Array.from({ length: 5_000 }, (_, id) => ({ id })) };
  const { artifact } = await bound(value);
  expect(artifact?.mediaType).toBe('application/json');
  expect(JSON.parse(body(artifact?.artifactId).toString())).toEqual(value);
});

test.each<[string, () => unknown]>([
  ['a Node stream', () => Readable.from(['grü', 'ße'])],
  ['a web stream', () => new Blob(['grüße']).stream()],
  [
    'an async iterable of halves of a character',
    () => Readable.from([Buffer.from('grü').subarray(0, 3), Buffer.from('grüße').subarray(3)]),
  ],
])('%s that is small is text', async (_, make) => {
  const { bound, count } = setUp();
  await expect(bound(make())).resolves.toEqual({ outcome: 'succeeded', content: 'grüße' });
  expect(count()).toBe(0);
});

test('a surrogate pair cut by a stream of text stays whole', async () => {
  const { bound } = setUp();
  await expect(bound(Readable.from(['a\uD83D', '\uDE00b']))).resolves.toMatchObject({
    content: 'a😀b',
  });
});

test('a large stream is kept whole, with its beginning for the model', async () => {
  const { bound, body } = setUp();
  const lines = Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`);
  const { content, artifact } = await bound(Readable.from(lines));
  expect(content.startsWith('line 0\nline 1\n')).toBe(true);
  expect(artifact?.bytes).toBe(lines.join('').length);
  expect(body(artifact?.artifactId).toString()).toBe(lines.join(''));
});

test('bytes that are not text are kept, whatever their size', async () => {
  const { bound, body } = setUp();
  const bytes = Uint8Array.of(0xff, 0xd8, 0xff, 0x00);
  const { content, artifact } = await bound(bytes);
  expect(content).toBe(
    `[4 bytes of application/octet-stream, kept as artifact ${artifact?.artifactId}]`,
  );
  expect(artifact?.bytes).toBe(4);
  expect(body(artifact?.artifactId)).toEqual(Buffer.from(bytes));
});

test('a stream that fails in the middle is a failed answer, one that hangs ends with the signal', async () => {
  const { bound } = setUp();
  async function* breaks() {
    yield 'x'.repeat(20_000);
    throw new Error('the disk is gone');
  }
  await expect(bound(breaks())).resolves.toMatchObject({
    outcome: 'failed',
    content: expect.stringContaining('the disk is gone'),
  });
  const controller = new AbortController();
  const hanging = setUp({ signal: controller.signal });
  let returned = false;
  const endless: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => undefined),
      return: async () => {
        returned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const result = hanging.bound(endless);
  controller.abort();
  await expect(result).resolves.toMatchObject({ outcome: 'failed', code: 'aborted' });
  expect(returned).toBe(true);
});

test('a store that is down does not make it look as if the tool had not run', async () => {
  const { bound } = setUp({
    artifacts: {
      ...artifactStore(),
      put: () => Promise.reject(new StewardError('artifact_too_large', 'More than 16 MiB.')),
    },
  });
  const { outcome, content, artifact } = await bound('x'.repeat(20_000));
  expect(outcome).toBe('succeeded');
  expect(artifact).toBeUndefined();
  expect(content).toMatch(
    /^x{8192}\n\n\[Only the first 8192 bytes of the result are here\. The rest could not be kept: More than 16 MiB\.\]$/,
  );
});

test('parts are one text, with pictures by reference', async () => {
  const { bound, body } = setUp();
  const bytes = Uint8Array.of(1, 2, 3);
  const content = new ToolContent([
    { type: 'text', text: 'before' },
    { type: 'bytes', mediaType: 'image/png', bytes },
    { type: 'text', text: 'after' },
  ]);
  const { outcome, content: told, artifact } = await bound(content);
  expect(outcome).toBe('succeeded');
  expect(told).toBe(
    `before\n[3 bytes of image/png, kept as artifact ${artifact?.artifactId}]\nafter`,
  );
  expect(artifact).toMatchObject({ bytes: 3, mediaType: 'image/png' });
  expect(body(artifact?.artifactId)).toEqual(Buffer.from(bytes));
});
