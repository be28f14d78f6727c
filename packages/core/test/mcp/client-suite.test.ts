import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Effect } from '../../src/events/run-event.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import { serviceSigner, serviceVerifier } from '../../src/service-auth/index.ts';
import type { ToolContext } from '../../src/tools/tool.ts';
import { openKit } from '../mcp-server/kit.ts';
import { certificateAuthority } from '../service-auth/certificates.ts';
import { openPool } from './pool.ts';
import { listen } from './servers/http-server.ts';

const effects: Record<string, Effect> = { add: 'read', big: 'read' };

/** What every client of the port does, whatever it speaks, on one server of the kit. */
describe.each([
  ['native MCP', (url: string) => ({ url: `${url}/mcp` })],
  ['the REST contract', (url: string) => ({ rest: url })],
])('a client of %s', (_, configOf) => {
  async function open() {
    const kit = await openKit();
    const opened = openPool({ kit: { ...configOf(kit.url), effects } });
    await opened.pool.prepare();
    return { ...kit, ...opened };
  }

  test('lists the tools with their schemas, and says what came of it', async () => {
    const { state, find } = await open();
    expect(state()).toMatchObject({ status: 'ready', tools: 8, refusedTools: [], error: null });
    expect(find('kit__add')).toMatchObject({
      description: 'Add two numbers',
      effect: 'read',
      parameters: { type: 'object', required: ['a', 'b'] },
    });
    expect(find('kit__append').effect).toBe('write');
  });

  test('calls a tool', async () => {
    const { call } = await open();
    await expect(call('kit__add', { a: 2, b: 3 })).resolves.toBe('{"sum":5}');
  });

  test('sends the key of the call, so that a repetition is told from a second call', async () => {
    const { call, ran } = await open();
    const append = (idempotencyKey: string) =>
      call('kit__append', { line: 'one' }, { idempotencyKey });
    await append('k1');
    await append('k1');
    expect(ran).toEqual(['one']);
    await append('k2');
    expect(ran).toEqual(['one', 'one']);
  });

  test('hands a failure of the tool on, and the next call works', async () => {
    const { call } = await open();
    await expect(call('kit__fail')).rejects.toMatchObject({
      code: 'tool_failed',
      detail: 'the printer is on fire',
    });
    const next = call('kit__add', { a: 1, b: 1 }, { idempotencyKey: 'next' });
    await expect(next).resolves.toBe('{"sum":2}');
  });

  test('says that the outcome is unknown when a call is given up', async () => {
    const { call, ran, release } = await open();
    const stop = new AbortController();
    const result = call('kit__hang', {}, { signal: stop.signal });
    await vi.waitFor(() => expect(ran).toEqual(['hang']));
    stop.abort(new Error('stop'));
    await expect(result).rejects.toMatchObject({ code: 'outcome_unknown' });
    release();
  });

  test('finds a server that restarted on its own, and calls it', async () => {
    const { call, server, url } = await open();
    await server.close();
    const { port } = new URL(url);
    const again = await openKit();
    await again.server.listen({ port: Number(port) });
    await expect(call('kit__add', { a: 1, b: 2 })).resolves.toBe('{"sum":3}');
  });

  test('says that a server that is gone cannot be reached: nothing was sent', async () => {
    const { call, server, state } = await open();
    await server.close();
    const failed = call('kit__append', { line: 'x' });
    await expect(failed).rejects.toMatchObject({ code: 'mcp_unavailable' });
    expect(state()?.status).toBe('failed');
  });
});

/** A server of the contract that answers as it likes. */
async function strange(answers: Record<string, readonly [status: number, body: unknown]>) {
  const seen: string[] = [];
  const server = await listen((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const [status, body] = answers[request.url ?? ''] ?? [404, ''];
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  onTestFinished(() => server.close());
  const opened = openPool({ odd: { rest: new URL('/', server.url).href } });
  await opened.pool.prepare();
  return { ...opened, seen };
}

const tools = [{ tool_slug: 'DO', input_schema: { type: 'object' } }];

test('a server that only has /.well-known/mcp is found there', async () => {
  const { state, seen } = await strange({ '/.well-known/mcp': [200, { tools }] });
  expect(seen).toEqual(['GET /mcp/discover', 'GET /.well-known/mcp']);
  expect(state()).toMatchObject({ status: 'ready', tools: 1 });
});

test('only what a server allows is a tool', async () => {
  const two = [...tools, { tool_slug: 'OTHER', input_schema: { type: 'object' } }, { name: 'x' }];
  const discovery = { allowed_tools: ['OTHER'], tools: two };
  const { registry } = await strange({ '/mcp/discover': [200, discovery] });
  expect(registry.list().map(({ name }) => name)).toEqual(['odd__OTHER']);
});

test.each<[string, readonly [number, unknown]]>([
  ['garbage', [200, '<html>']],
  ['no tools', [200, { name: 'x' }]],
  ['an error', [500, '']],
  ['a refusal', [401, {}]],
  ['a redirect', [302, '']],
])('a server that says %s when it is listed has failed', async (_, answer) => {
  const { state } = await strange({ '/mcp/discover': answer });
  expect(state()).toMatchObject({ status: 'failed', error: { message: /odd/ } });
});

const ok = { requestId: 'r', successful: true, error: null };

function answering(answer: readonly [number, unknown]) {
  return strange({ '/mcp/discover': [200, { tools }], '/mcp/execute': answer });
}
const resultOf = (response: unknown) =>
  [200, { ...ok, data: { results: [{ response }] } }] as const;

test.each<[string, readonly [number, unknown], string]>([
  ['an object', resultOf({ a: 1 }), '{"a":1}'],
  ['text', resultOf('done'), 'done'],
  ['nothing', resultOf(undefined), 'null'],
])('understands %s as a result', async (_, answer, expected) => {
  const { call } = await answering(answer);
  await expect(call('odd__DO')).resolves.toBe(expected);
});

const error = (said: unknown) =>
  [200, { ...ok, successful: false, data: null, error: said }] as const;

test.each<[string, readonly [number, unknown], string, string]>([
  ['a sentence', error('no'), 'tool_failed', 'no'],
  ['a code', error({ code: 'x', message: 'no' }), 'tool_failed', 'no'],
  ['an unknown outcome', error({ code: 'outcome_unknown', message: '?' }), 'outcome_unknown', '?'],
  ['no success', [200, { successful: false }], 'tool_failed', 'The tool failed'],
  ['a refusal', [400, { error: { message: 'a is missing' } }], 'mcp_failed', 'a is missing'],
  ['too many requests', [429, {}], 'rate_limited', '429'],
  ['a broken proxy', [502, '<html>'], 'outcome_unknown', '502'],
  ['garbage', [200, '<html>'], 'outcome_unknown', 'not one of the contract'],
])('understands %s as a failure', async (_, answer, code, said) => {
  const { call } = await answering(answer);
  const detail: unknown = expect.stringContaining(said);
  await expect(call('odd__DO')).rejects.toMatchObject({ code, detail });
});

describe('a server that wants to know who calls', () => {
  const secret = 'a secret of thirty-two bytes, or more';
  const service = serviceSigner({ service: 'web', audience: 'kit', secret });
  const callers = () => serviceVerifier({ audience: 'kit', services: { web: { secret } } });
  type Call = (name: string, args: JsonObject, context: Partial<ToolContext>) => Promise<string>;
  const asAnn = (call: Call) =>
    call('kit__append', { line: 'x' }, { principal: { userId: 'ann', tenantId: 'acme' } });

  test('is told, with every request, and for which user', async () => {
    const kit = await openKit({ callers: callers() });
    const { pool, call, state } = openPool({ kit: { rest: kit.url, service } });
    await pool.prepare();
    expect(state()?.status).toBe('ready');
    await expect(asAnn(call)).resolves.toContain('ann appended');
  });

  test('refuses who does not', async () => {
    const kit = await openKit({ callers: callers() });
    const { pool, state } = openPool({ kit: { rest: kit.url } });
    await pool.prepare();
    expect(state()).toMatchObject({ status: 'failed' });
  });

  test('is shown a certificate', async () => {
    const authority = certificateAuthority();
    onTestFinished(() => authority.remove());
    const { ca } = authority;
    const certificates = { web: 'spiffe://prod/web' };
    const kit = await openKit({ certificates });
    const rest = await kit.server.listen({
      tls: { ...authority.certify({ IP: '127.0.0.1' }), ca },
    });
    const own = authority.certify({ URI: 'spiffe://prod/web' });
    const { pool, call } = openPool({ kit: { rest, tls: { ...own, ca } } });
    await pool.prepare();
    await expect(call('kit__append', { line: 'x' })).resolves.toContain('web appended');
    const stranger = openPool({ kit: { rest, tls: { ca } } });
    await stranger.pool.prepare();
    expect(stranger.state()).toMatchObject({ status: 'failed' });
  });
});
