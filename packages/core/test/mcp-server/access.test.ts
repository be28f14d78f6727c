import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { mcpServer } from '../../src/mcp-server/index.ts';
import { serviceSigner, serviceVerifier } from '../../src/service-auth/index.ts';
import { certificateAuthority } from '../service-auth/certificates.ts';
import { kitTools, nativeClient, openKit } from './kit.ts';

const secret = 'a secret of thirty-two bytes, or more';
const callers = () => serviceVerifier({ audience: 'kit', services: { web: { secret } } });
const signer = serviceSigner({ service: 'web', audience: 'kit', secret });
const append = (line: string) => ({ tools: [{ tool_slug: 'append', arguments: { line } }] });

/** A request as only raw HTTP can make it. */
function raw(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  httpRequest(url, { headers, method, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end();
  return promise;
}

describe('Host and Origin', () => {
  test.each([
    ['a foreign host', { host: 'evil.example' }, 403],
    ['a host that only begins like ours', { host: 'localhost.evil.example' }, 403],
    ['a foreign web page', { origin: 'https://evil.example' }, 403],
    ['a web page without a name', { origin: 'null' }, 403],
    ['this machine', { host: 'localhost:1', origin: 'http://localhost:3000' }, 200],
  ])('%s', async (_, headers: Record<string, string>, status) => {
    const { url } = await openKit();
    expect(await raw(`${url}/mcp/discover`, headers)).toBe(status);
    expect(await raw(`${url}/metrics`, headers)).toBe(status);
    const post = await raw(`${url}/mcp`, headers, 'POST');
    expect(post === 403).toBe(status === 403);
  });

  test('can be other ones', async () => {
    const { url } = await openKit({
      allowedHosts: ['kit.internal'],
      allowedOrigins: ['app.example'],
    });
    const ours = { host: 'kit.internal:8001', origin: 'https://app.example' };
    expect(await raw(`${url}/mcp/discover`, ours)).toBe(200);
    expect(await raw(`${url}/mcp/discover`, { host: 'localhost' })).toBe(403);
  });
});

test('what is not there, or not so, is said', async () => {
  const { url } = await openKit({ maxRequestBytes: 100 });
  const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  const json = { 'content-type': 'application/json' };
  expect(await status('/nothing')).toBe(404);
  expect(await status('/__proto__')).toBe(404);
  expect(await status('/mcp/execute')).toBe(405);
  expect(await status('/mcp/execute', { method: 'POST', body: '{}' })).toBe(415);
  const body = 'x'.repeat(101);
  expect(await status('/mcp/execute', { method: 'POST', headers: json, body })).toBe(413);
});

test('health is one word, for everybody; metrics are those of Prometheus', async () => {
  let isHealthy = true;
  const { url, execute, metrics } = await openKit({ isHealthy: async () => isHealthy });
  const health = async () => {
    const response = await fetch(`${url}/health`);
    return [response.status, await response.json()];
  };
  expect(await health()).toEqual([200, { status: 'ok' }]);
  isHealthy = false;
  expect(await health()).toEqual([503, { status: 'unavailable' }]);
  expect(await raw(`${url}/health`, { host: '10.1.2.3' })).toBe(503);
  await execute('fail');
  await execute('add', { a: 'x' });
  const counted = await metrics();
  expect(counted).toContain('steward_mcp_tool_calls_total{tool="fail",outcome="failed"} 1');
  expect(counted).toContain('steward_mcp_tool_calls_total{tool="add",outcome="refused"} 1');
  expect(counted).toContain('steward_mcp_http_requests_total{route="execute",status="400"} 1');
  expect(counted).toContain('steward_mcp_tool_call_duration_seconds_count{tool="fail"} 1');
  expect(counted).toContain('steward_mcp_tool_calls_running 0');
});

test('calls that run may end when the server ends', async () => {
  const { server, execute, ran, release } = await openKit();
  const hanging = execute('hang');
  await vi.waitFor(() => expect(ran).toEqual(['hang']));
  const closed = server.close();
  release();
  expect((await hanging).body.successful).toBe(true);
  await closed;
});

describe('a server that wants to know who calls', () => {
  const signedPost = async (
    { post }: Awaited<ReturnType<typeof openKit>>,
    envelope: object,
    user?: { readonly userId: string },
  ) => {
    const body = JSON.stringify(envelope);
    const token = await signer.sign({ method: 'POST', path: '/mcp/execute', body, user });
    return post(body, { authorization: `Bearer ${token}` });
  };

  test('refuses strangers, on every path that does something', async () => {
    const { url, ran } = await openKit({ callers: callers() });
    for (const path of ['/mcp', '/mcp/execute', '/mcp/discover', '/.well-known/mcp']) {
      const isPost = path === '/mcp' || path === '/mcp/execute';
      const init = isPost
        ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
        : {};
      expect([path, (await fetch(url + path, init)).status]).toEqual([path, 401]);
    }
    expect(ran).toEqual([]);
  });

  test('knows the user, and keeps what users call apart', async () => {
    const kit = await openKit({ callers: callers() });
    const envelope = { ...append('one'), requestId: 'r1' };
    const ann = await signedPost(kit, envelope, { userId: 'ann' });
    const bob = await signedPost(kit, envelope, { userId: 'bob' });
    const own = await signedPost(kit, envelope);
    const said = [ann, bob, own].map(({ body }) => body.data.results[0]?.response);
    expect(said.map((text) => text?.split(' ')[0])).toEqual(['ann', 'bob', 'web']);
    expect(kit.ran).toEqual(['one', 'one', 'one']);
  });

  test.each(['modern', 'legacy'] as const)(
    'speaks native MCP, %s, with who signs',
    async (mode) => {
      const kit = await openKit({ callers: callers() });
      const signed = (userId: string) => async (input: string | URL, init?: RequestInit) => {
        const { pathname, search } = new URL(input);
        const { method = 'GET', body } = init ?? {};
        const path = pathname + search;
        const sent = typeof body === 'string' ? body : undefined;
        const token = await signer.sign({ method, path, body: sent, user: { userId } });
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${token}`);
        return fetch(input, { ...init, headers });
      };
      const negotiation = { mode: mode === 'modern' ? 'auto' : 'legacy' } as const;
      const client = new Client({ name: 'a', version: '1' }, { versionNegotiation: negotiation });
      const address = new URL(`${kit.url}/mcp`);
      const transport = new StreamableHTTPClientTransport(address, { fetch: signed('ann') });
      await client.connect(transport);
      onTestFinished(() => client.close());
      const call = { name: 'append', arguments: { line: 'two' } };
      const result = await client.callTool(call);
      expect(result.content).toMatchObject([{ text: expect.stringMatching(/^ann /) }]);
      if (mode === 'modern') return;
      const stolen = { 'mcp-session-id': transport.sessionId ?? '', accept: 'text/event-stream' };
      expect((await signed('bob')(address, { headers: stolen })).status).toBe(404);
    },
  );
});

describe('a server behind mutual TLS', () => {
  const authority = certificateAuthority();
  afterAll(() => authority.remove());
  const web = authority.certify({ URI: 'spiffe://prod/web' });

  async function discovered(shown: object, expected = {}) {
    const tools = kitTools([]);
    const certificates = { web: 'spiffe://prod/web' };
    const server = mcpServer({ name: 'kit', version: '1', tools, certificates, ...expected });
    onTestFinished(() => server.close());
    const own = authority.certify({ IP: '127.0.0.1' });
    const url = await server.listen({ tls: { ...own, ca: authority.ca } });
    const { promise, resolve } = Promise.withResolvers<string>();
    const options = { ca: authority.ca, agent: false, ...shown };
    httpsRequest(`${url}/mcp/discover`, options, (response) => {
      void text(response).then(() => resolve(`${response.statusCode}`));
    })
      .on('error', () => resolve('no connection'))
      .end();
    return promise;
  }

  test('takes the certificate of a service that may call, and no other', async () => {
    expect(await discovered(web)).toBe('200');
    expect(await discovered(authority.certify({ URI: 'spiffe://prod/other' }))).toBe('401');
    expect(await discovered({})).toBe('no connection');
  });

  test('can want a token besides', async () => {
    expect(await discovered(web, { callers: callers() })).toBe('401');
    const token = await signer.sign({ method: 'GET', path: '/mcp/discover' });
    const headers = { authorization: `Bearer ${token}` };
    expect(await discovered({ ...web, headers }, { callers: callers() })).toBe('200');
  });
});

test('two clients with the same ids never get a foreign answer', async () => {
  const kit = await openKit({ maxParallelCalls: 200 });
  const [ann, bob] = [await nativeClient(kit.url, 'modern'), await nativeClient(kit.url, 'legacy')];
  const calls = Array.from({ length: 100 }, (_, n) => [
    ann.callTool({ name: 'add', arguments: { a: n, b: 1 } }),
    bob.callTool({ name: 'add', arguments: { a: n, b: -1 } }),
  ]);
  const sums = (await Promise.all(calls.flat())).map(
    ({ structuredContent }) => (structuredContent as { readonly sum: number }).sum,
  );
  expect(sums).toEqual(Array.from({ length: 100 }, (_, n) => [n + 1, n - 1]).flat());
});
