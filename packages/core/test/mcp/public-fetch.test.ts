import type dns from 'node:dns';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fetchForOthers } from '../../src/mcp/connection-auth.ts';
import { publicFetch } from '../../src/mcp/public-fetch.ts';
import { listen } from './servers/http-server.ts';

const auth = { grant: 'authorization_code', redirectUrl: 'https://app.example/back' } as const;

/** What a name resolves to, each time it is asked. */
const resolving = (...addresses: string[]) =>
  vi.fn<(name: string, options: unknown, found: (error: null, all: object[]) => void) => void>(
    (_name, _options, found) => {
      const address = addresses.length > 1 ? addresses.shift() : addresses[0];
      found(null, [{ address, family: address?.includes(':') ? 6 : 4 }]);
    },
  ) as unknown as typeof dns.lookup;

const untrusting = (resolve?: typeof dns.lookup) =>
  publicFetch({ isTrusted: () => false, ...(resolve && { resolve }) });

test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://１２７.0.0.1/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::7f00:1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[ff02::1]/',
  'http://localhost/',
  'file:///etc/passwd',
  'data:text/plain,x',
])('%s is not connected to', async (url) => {
  await expect(untrusting()(url)).rejects.toMatchObject({ code: 'mcp_failed' });
});

test.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', '64:ff9b::a00:1'])(
  'a name that resolves to %s is not connected to',
  async (address) => {
    const connect = untrusting(resolving(address))('http://login.example/');
    await expect(connect).rejects.toMatchObject({ code: 'mcp_failed' });
  },
);

test('a name is looked up once per connection: what was checked is what is connected to', async () => {
  const resolve = resolving('127.0.0.1', '8.8.8.8');
  await expect(untrusting(resolve)('http://login.example/')).rejects.toMatchObject({
    code: 'mcp_failed',
  });
  expect(resolve).toHaveBeenCalledOnce();
});

test('a host that the developer named may be anywhere; a redirect is an answer, not followed', async () => {
  const server = await listen((request, response) => {
    if (request.url === '/mcp') response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
    else response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end(`${request.method}`);
  });
  onTestFinished(() => server.close());
  const trusting = publicFetch({ isTrusted: (host) => host === '127.0.0.1' });
  const moved = await trusting(server.url);
  expect([moved.status, moved.headers.get('location')]).toEqual([302, 'http://10.0.0.1/']);
  const posted = await trusting(new URL('/other', server.url), { method: 'POST', body: 'x' });
  expect(await posted.text()).toBe('POST');
  expect(posted.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test.each([
  [{ url: 'https://mcp.example/mcp' }],
  [{ url: 'http://8.8.8.8/mcp', auth: { ...auth, trustedHosts: ['10.0.0.1'] } }],
])('a public server does not lead into a private network: %j', async (config) => {
  const asked = fetchForOthers(config)('http://127.0.0.1:9/');
  await expect(asked).rejects.toMatchObject({ code: 'mcp_failed' });
});

test.each([
  [{ url: 'http://localhost:9/mcp' }],
  [{ url: 'http://10.0.0.1/mcp' }],
  [{ url: 'https://mcp.example/mcp', auth: { ...auth, trustedHosts: ['127.0.0.1'] } }],
  [{ url: 'https://mcp.example/mcp', auth: { ...auth, issuer: 'http://127.0.0.1:9' } }],
])('a private server, and hosts that the developer named, may be private: %j', async (config) => {
  const server = await listen((_, response) => response.end('metadata'));
  onTestFinished(() => server.close());
  const answer = await fetchForOthers(config)(server.url);
  expect(await answer.text()).toBe('metadata');
});
