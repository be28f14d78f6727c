import { createRequire } from 'node:module';
import { expect, onTestFinished, test } from 'vitest';
import { openPool } from './pool.ts';
import { modernHttp } from './servers/http-server.ts';
import { fixture, folder, node } from './stdio-fixture.ts';

const require = createRequire(import.meta.url);
const fileServer = () => require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');

test('a model finds and reads the resources of a server with tools, whose effect is for the host to say', async () => {
  const { call, find, ledger } = await fixture();
  await expect(call('box__list_resources')).resolves.toBe(
    'note://1  note: A note\nday://{date}  day: A day',
  );
  await expect(call('box__read_resource', { uri: 'note://1' })).resolves.toBe(
    '[resource note://1]\nwhat is noted',
  );
  await expect(call('box__read_resource', { uri: 'day://today' })).resolves.toBe(
    'image/png:115,117,110',
  );
  expect(ledger()).toEqual(['read day://today']);
  expect(find('box__read_resource').effect).toBe('write');
});

test('a resource that is not there is a failed answer', async () => {
  const { call } = await fixture();
  await expect(call('box__read_resource', { uri: 'note://none' })).rejects.toMatchObject({
    code: 'mcp_failed',
  });
});

test('a server without resources has no such tools', async () => {
  const { pool, registry } = openPool({
    files: { command: node, args: [fileServer(), await folder()] },
  });
  await pool.prepare();
  expect(registry.list().map(({ name }) => name)).not.toContain('files__list_resources');
});

test('the host lists and fills in prompts, in words that can be seen, also after a restart', async () => {
  const server = await modernHttp(() => undefined);
  onTestFinished(() => server.close());
  const { pool } = openPool({ web: { url: server.url } });
  await expect(pool.prompts('web')).resolves.toEqual([
    {
      name: 'greet',
      description: 'Greets',
      arguments: [{ name: 'name', description: 'Who', required: true }],
    },
  ]);
  server.server.closeAllConnections();
  await expect(pool.prompt('web', 'greet', { name: 'Ann' })).resolves.toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Greet Ann' }] },
  ]);
  await expect(pool.prompt('web', 'none', {})).rejects.toMatchObject({ code: 'mcp_failed' });
  await expect(pool.prompts('other')).rejects.toMatchObject({ code: 'not_found' });
});
