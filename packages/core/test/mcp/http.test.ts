import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import ownPackage from '../../package.json' with { type: 'json' };
import { serverFetch } from '../../src/mcp/server-fetch.ts';
import type { ToolContext } from '../../src/tools/tool.ts';
import { openPool } from './pool.ts';
import { listen, modernHttp, oldHttp, sseHttp } from './servers/http-server.ts';

const bounded = (maxBytes: number, url: string) =>
  serverFetch({ maxBytes, server: { url, headers: {} }, others: fetch });

async function modern(config: object = {}) {
  const notes: string[] = [];
  const headers: (string | undefined)[] = [];
  const server = await modernHttp(
    (line) => notes.push(line),
    (request) => headers.push(request.headers.authorization),
  );
  onTestFinished(() => server.close());
  const opened = openPool({ web: { url: server.url, ...config } });
  await opened.pool.prepare();
  return { ...opened, server, notes, headers };
}

async function old(start: typeof oldHttp | typeof sseHttp = oldHttp) {
  const notes: string[] = [];
  const server = await start((line) => notes.push(line));
  onTestFinished(() => server.close());
  const opened = openPool({ web: { url: server.url } });
  await opened.pool.prepare();
  return { ...opened, server, notes };
}

test('calls tools over streamable HTTP in the newest protocol, with the headers of the host', async () => {
  const { call, state, notes, headers } = await modern({ headers: { authorization: 'Bearer t' } });
  expect(state()).toMatchObject({ status: 'ready', era: 'modern', protocolVersion: '2026-07-28' });
  await expect(call('web__echo', { text: 'hello' })).resolves.toBe('hello');
  await call('web__append', { line: 'one' }, { idempotencyKey: 'key_7' });
  expect(notes).toEqual(['append one key_7']);
  expect(new Set(headers)).toEqual(new Set(['Bearer t']));
});

test('says who it is: the package and its version', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      response.writeHead(500).end();
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await openPool({ web: { url: `http://127.0.0.1:${port}/mcp` } }).pool.prepare();
  const { version } = ownPackage;
  expect(bodies.join('\n')).toContain(JSON.stringify({ name: 'steward', version }));
});

test('progress and questions work over HTTP, also when calls overlap', async () => {
  const { call } = await modern();
  const progress = vi.fn<ToolContext['progress']>(() => void call('web__go_on'));
  await expect(call('web__steps', {}, { progress })).resolves.toBe('all steps');
  expect(progress).toHaveBeenCalledExactlyOnceWith({ progress: 1, total: 2, message: 'half' });
  const deploy = (env: string, confirm: boolean) =>
    call('web__deploy', { env }, { requestInput: async () => ({ confirm }) });
  await expect(Promise.all([deploy('live', true), deploy('test', false)])).resolves.toEqual([
    'deployed to live',
    'not deployed',
  ]);
});

test('aborting a call reaches the tool of the server', async () => {
  const { call, notes } = await modern();
  const controller = new AbortController();
  const result = call('web__slow', {}, { signal: controller.signal });
  await expect.poll(() => notes).toContain('slow started');
  controller.abort(new Error('stop'));
  await expect(result).rejects.toMatchObject({ code: 'outcome_unknown' });
  await expect.poll(() => notes).toContain('slow cancelled');
});

test('a server that cuts the connection in a call leaves an unknown outcome', async () => {
  const { call, notes, server } = await modern();
  const result = call('web__slow').catch((error: unknown) => error);
  await expect.poll(() => notes).toContain('slow started');
  server.server.closeAllConnections();
  await expect(result).resolves.toMatchObject({ code: 'outcome_unknown' });
});

test('a stream that breaks off before the answer leaves an unknown outcome, and soon', async () => {
  const { call, notes, server } = await modern();
  const result = call('web__hang').catch((error: unknown) => error);
  await expect.poll(() => notes).toContain('hang started');
  server.server.closeAllConnections();
  await expect(result).resolves.toMatchObject({ code: 'outcome_unknown' });
});

test('a server that is gone is unavailable, and nothing was sent', async () => {
  const { call, state, server } = await modern();
  await server.close();
  await expect(call('web__append', { line: 'x' })).rejects.toMatchObject({
    code: 'mcp_unavailable',
  });
  expect(state()?.status).toBe('failed');
});

describe.each([
  ['streamable HTTP', oldHttp],
  ['SSE', sseHttp],
])('a server of sdk 1.x over %s', (_, start) => {
  test('is called in its own protocol', async () => {
    const { call, state, notes } = await old(start);
    expect(state()).toMatchObject({
      status: 'ready',
      era: 'legacy',
      protocolVersion: '2025-11-25',
    });
    await call('web__append', { line: 'one' });
    expect(notes).toEqual(['append one key_1']);
  });

  test('that forgot the session gets a new one, and the call runs once', async () => {
    const { call, notes, server, state } = await old(start);
    server.forget();
    await expect(call('web__append', { line: 'again' })).resolves.toBe('appended');
    expect(notes).toEqual(['append again key_1']);
    expect(state()?.status).toBe('ready');
  });

  test('that cuts the connection in a call leaves an unknown outcome, and is called again', async () => {
    const { call, notes, server } = await old(start);
    const result = call('web__hang').catch((error: unknown) => error);
    await expect.poll(() => notes).toContain('hang started');
    server.server.closeAllConnections();
    await expect(result).resolves.toMatchObject({ code: 'outcome_unknown' });
    await expect(call('web__append', { line: 'next' })).resolves.toBe('appended');
    expect(notes).toEqual(['hang started', 'append next key_1']);
  });
});

test('questions of a server with sessions find their call', async () => {
  const { call } = await old();
  const ask = (what: string) =>
    call('web__ask', { what }, { requestInput: async () => ({ a: what }) });
  await expect(Promise.all([ask('x'), ask('y')])).resolves.toEqual(['x {"a":"x"}', 'y {"a":"y"}']);
});

test.each([
  [401, 'mcp_unavailable'],
  [500, 'mcp_unavailable'],
])('a server that answers %i to everything is failed, with the reason', async (status, code) => {
  const server = await listen((_, response) => response.writeHead(status).end('no'));
  onTestFinished(() => server.close());
  const { pool, state } = openPool({ web: { url: server.url } });
  await pool.prepare();
  expect(state()).toMatchObject({ status: 'failed', error: { code } });
});

test('closing does not wait for a server that does not answer', async () => {
  const { pool, server } = await old();
  server.server.removeAllListeners('request').on('request', () => undefined);
  await pool.close();
  expect(pool.servers()[0]?.status).toBe('closed');
});

test('a port where nobody listens is unavailable at once', async () => {
  const server = await listen(() => undefined);
  await server.close();
  const { pool, state } = openPool({ web: { url: server.url } });
  await pool.prepare();
  expect(state()).toMatchObject({ status: 'failed', error: { code: 'mcp_unavailable' } });
});

test.each([
  ['a body without end', 'application/json', 'x'],
  ['an event without end', 'text/event-stream', 'data: x'],
])('%s breaks off', async (_, type, chunk) => {
  const server = await listen((_request, response) => {
    response.writeHead(200, { 'content-type': type });
    const more = (): void => {
      while (response.writable && response.write(chunk.repeat(1_000)));
    };
    response.on('drain', more);
    more();
  });
  onTestFinished(() => server.close());
  const response = await bounded(100_000, server.url)(server.url);
  await expect(response.text()).rejects.toThrow('longer than 100000 bytes');
});

test('a stream of many events may be longer than one of them', async () => {
  const body = 'data: 0123456789\n\n'.repeat(1_000);
  const server = await listen((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body),
  );
  onTestFinished(() => server.close());
  const response = await bounded(100, server.url)(server.url);
  await expect(response.text()).resolves.toBe(body);
});
