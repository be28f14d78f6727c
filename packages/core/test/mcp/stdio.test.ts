import { readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { ToolContext } from '../../src/tools/tool.ts';
import { openPool, programs } from './pool.ts';
import { fixture, folder, node } from './stdio-fixture.ts';

const require = createRequire(import.meta.url);

test('lists the tools of a child process and calls them in the newest protocol', async () => {
  const { call, find, state, ledger } = await fixture();
  expect(state()).toMatchObject({
    name: 'box',
    status: 'ready',
    error: null,
    era: 'modern',
    protocolVersion: '2026-07-28',
  });
  expect(find('box__echo')).toMatchObject({
    effect: 'read',
    server: 'box',
    description: 'Says it again',
  });
  expect(find('box__append').effect).toBe('write');
  await expect(call('box__echo', { text: 'grüße' })).resolves.toBe('grüße');
  await call('box__append', { line: 'one' }, { idempotencyKey: 'key_7' });
  expect(ledger()).toEqual(['append one key_7']);
});

test('arguments are checked against the listed schema', async () => {
  const { find } = await fixture();
  await expect(find('box__echo').validate({ text: 1 })).resolves.toEqual({
    valid: false,
    message: 'text: must be string',
  });
  await expect(find('box__echo').validate({ text: 'a' })).resolves.toEqual({
    valid: true,
    value: { text: 'a' },
  });
});

test('what a server answers becomes text and bytes', async () => {
  const { call } = await fixture();
  await expect(call('box__picture')).resolves.toBe(
    'a dot\nimage/png:1,2,3\n[resource note://1]\na note\n[resource note://2: another]',
  );
  await expect(call('box__measure')).resolves.toBe('{"celsius":21.5}');
  await expect(call('box__big', { bytes: 5_000_000 })).resolves.toHaveLength(5_000_000);
});

test('a tool that says it failed is a failed answer with its words', async () => {
  const { call } = await fixture();
  await expect(call('box__fail')).rejects.toMatchObject({
    code: 'tool_failed',
    detail: 'the printer is on fire',
  });
});

test('arguments that the server refuses are a failure, not an unknown outcome', async () => {
  const { call } = await fixture();
  await expect(call('box__append', { line: 7 })).rejects.toMatchObject({
    code: expect.stringMatching(/tool_failed|mcp_failed/),
  });
});

test('progress is told while the tool works', async () => {
  const { call } = await fixture();
  const progress = vi.fn<ToolContext['progress']>(() => void call('box__go_on'));
  await expect(call('box__steps', {}, { progress })).resolves.toBe('all steps');
  expect(progress).toHaveBeenCalledExactlyOnceWith({ progress: 1, total: 2, message: 'half' });
});

test('a question of the server reaches the person of its call, also when others run', async () => {
  const { call } = await fixture();
  const ask = (env: string, answer: { confirm: boolean } | null) => {
    const requestInput = vi.fn<ToolContext['requestInput']>(async () => answer);
    return { requestInput, result: call('box__deploy', { env }, { requestInput }) };
  };
  const [yes, no, declined] = [
    ask('live', { confirm: true }),
    ask('test', { confirm: false }),
    ask('dev', null),
  ];
  await expect(yes.result).resolves.toBe('deployed to live');
  await expect(no.result).resolves.toBe('not deployed');
  await expect(declined.result).resolves.toBe('not deployed');
  expect(yes.requestInput).toHaveBeenCalledExactlyOnceWith({
    message: 'Deploy to live?',
    schema: expect.objectContaining({ type: 'object', required: ['confirm'] }),
  });
});

test('aborting a call reaches the tool of the server', async () => {
  const { call, ledger } = await fixture();
  const controller = new AbortController();
  const result = call('box__slow', {}, { signal: controller.signal });
  await expect.poll(() => ledger()).toContain('slow started');
  controller.abort(new Error('stop'));
  await expect(result).rejects.toMatchObject({ code: 'outcome_unknown' });
  await expect.poll(() => ledger()).toContain('slow cancelled');
  await expect(call('box__echo', { text: 'still here' })).resolves.toBe('still here');
});

test('a child gets no secrets of this process', async () => {
  vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
  const { call } = await fixture({ GIVEN: 'yes' });
  vi.unstubAllEnvs();
  const environment = JSON.parse(await call('box__environment')) as Record<string, string>;
  expect(environment).toMatchObject({ GIVEN: 'yes' });
  expect(environment).not.toHaveProperty('OPENAI_API_KEY');
});

test('garbage on stdout and a flood on stderr do no harm', async () => {
  const { call } = await fixture({ GARBAGE: '1', STDERR_BYTES: '5000000' });
  await expect(call('box__echo', { text: 'fine' })).resolves.toBe('fine');
});

test('new tools of a server can be called without a new connection', async () => {
  const { call, registry, state } = await fixture();
  await call('box__grow');
  await expect.poll(() => registry.get('box__grown')).toBeDefined();
  await expect(call('box__grown')).resolves.toBe('grown');
  expect(state()?.status).toBe('ready');
});

test.each([
  ['a program that is not there', { command: '/nonexistent/program' }, 'ENOENT'],
  [
    'a program that ends at once',
    { command: node, args: ['-e', 'console.error("no licence"); process.exit(1)'] },
    'no licence',
  ],
])('%s makes a failed server, and nobody falls', async (_, config, words) => {
  const { pool, state } = openPool({ box: config });
  await pool.prepare();
  expect(state()).toMatchObject({ status: 'failed', tools: 0, error: { code: 'mcp_unavailable' } });
  expect(state()?.error?.message).toContain(words);
});

test('speaks with servers of sdk 1.x, and answers their questions', async () => {
  const { pool, call, state } = openPool({
    old: { command: node, args: [programs.old] },
  });
  await pool.prepare();
  expect(state()).toMatchObject({ status: 'ready', era: 'legacy', protocolVersion: '2025-11-25' });
  await expect(call('old__echo', { text: 'hello' })).resolves.toBe('hello');
  const requestInput = vi.fn<ToolContext['requestInput']>(async () => ({ name: 'Ann' }));
  await expect(call('old__ask', {}, { requestInput })).resolves.toBe('accept {"name":"Ann"}');
  await expect(call('old__ask', {}, { requestInput: async () => null })).resolves.toBe(
    'decline null',
  );
  await expect(call('old__ask')).resolves.toBe('cancel null');
});

test('the published file server reads and writes', async () => {
  const root = await realpath(await folder());
  const program = require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
  const { pool, call, find } = openPool({
    files: {
      command: node,
      args: [program, root],
      effects: { read_text_file: 'read', write_file: 'read' },
    },
  });
  await pool.prepare();
  await call('files__write_file', { path: join(root, 'a.txt'), content: 'hello' });
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('hello');
  await expect(call('files__read_text_file', { path: join(root, 'a.txt') })).resolves.toContain(
    'hello',
  );
  expect(find('files__read_text_file').effect).toBe('read');
  // The server itself says that it writes: that makes the host's word stricter.
  expect(find('files__write_file').effect).toBe('write');
  await expect(call('files__read_text_file', { path: '/etc/passwd' })).rejects.toMatchObject({
    code: 'tool_failed',
  });
});
