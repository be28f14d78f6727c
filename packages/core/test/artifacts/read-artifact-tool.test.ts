import { expect, test } from 'vitest';
import { READ_ARTIFACT, readArtifactTool } from '../../src/artifacts/read-artifact-tool.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import { toolContext } from '../tools/tool-context.ts';
import { artifactStore } from './artifact-store.ts';

async function keep(body: string | Uint8Array, limitBytes = 1_024) {
  const artifacts = artifactStore();
  const { artifactId } = await artifacts.put({
    tenantId: 'acme',
    userId: 'ann',
    runId: 'run_1',
    mediaType: 'text/plain',
    body: (async function* () {
      yield Buffer.from(body);
    })(),
  });
  const reader = readArtifactTool(artifacts, limitBytes);
  return {
    reader,
    read: async (args: JsonObject, userId = 'ann') =>
      String(
        await reader.execute(
          { artifactId, ...args },
          toolContext({ principal: { userId, tenantId: 'acme' } }),
        ),
      ),
  };
}

test('is a read that asks nobody', async () => {
  const { reader } = await keep('');
  expect(reader).toMatchObject({ name: READ_ARTIFACT, effect: 'read', server: null });
  await expect(reader.validate({ artifactId: 'a', start: -1 })).resolves.toMatchObject({
    valid: false,
  });
  await expect(reader.validate({ artifactId: 'a', offset: 1 })).resolves.toMatchObject({
    valid: false,
  });
});

test('reads parts by bytes and says where the next one begins', async () => {
  const { read } = await keep('0123456789');
  await expect(read({ start: 2, length: 3 })).resolves.toBe(
    '234\n\n[Bytes 2 to 5 of 10; the next part starts at 5.]',
  );
  await expect(read({ start: 5 })).resolves.toBe(
    '56789\n\n[Bytes 5 to 10 of 10; this is the end.]',
  );
  await expect(read({ start: 10 })).resolves.toBe('The artifact has only 10 bytes.');
});

test.each(['grüße aus köln '.repeat(500), '😀€ä'.repeat(1_500), 'x'.repeat(3_000)])(
  'parts read one after the other are the whole, whatever characters it has',
  async (text) => {
    const { read } = await keep(text);
    let whole = '';
    let start = 0;
    for (;;) {
      const answer = await read({ start });
      expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(1_024);
      const [, part = '', rest = ''] = /^(.*)\n\n\[Bytes [^;]*; (.*)\.\]$/s.exec(answer) ?? [];
      whole += part;
      if (rest === 'this is the end') break;
      start = Number(/\d+/.exec(rest)?.[0]);
    }
    expect(whole).toBe(text);
  },
);

test('a part that begins inside of a character begins with the next one', async () => {
  const { read } = await keep('a😀b');
  await expect(read({ start: 2 })).resolves.toBe('b\n\n[Bytes 5 to 6 of 6; this is the end.]');
});

test('reads lines', async () => {
  const { read } = await keep(Array.from({ length: 500 }, (_, n) => `line ${n + 1}`).join('\n'));
  await expect(read({ line: 499, lines: 1 })).resolves.toMatch(
    /^line 499\n\n\n\[Bytes \d+ to \d+ of \d+; the next part/,
  );
  await expect(read({ line: 500 })).resolves.toMatch(/^line 500\n\n\[.*this is the end\.\]$/);
  await expect(read({ line: 501 })).resolves.toBe('The artifact has fewer than 501 lines.');
  const many = await read({ line: 2, lines: 400 });
  expect(many.startsWith('line 2\nline 3\n')).toBe(true);
  expect(Buffer.byteLength(many)).toBeLessThanOrEqual(1_024);
});

test('what belongs to somebody else does not exist', async () => {
  const { read } = await keep('secret');
  await expect(read({}, 'bob')).resolves.toMatch(/^There is no artifact/);
  await expect(read({ artifactId: 'art_9' })).resolves.toMatch(/^There is no artifact/);
});

test('says that bytes are not text', async () => {
  const { read } = await keep(Uint8Array.of(0xff, 0xd8, 0x00));
  await expect(read({})).resolves.toBe('The artifact is 3 bytes of text/plain, which is not text.');
});
