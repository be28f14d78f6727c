import { expect, test } from 'vitest';
import { readServerConfigs } from '../../src/mcp/server-config.ts';

const user = { grant: 'authorization_code' };
const client = { grant: 'client_credentials', clientId: 'steward' };

test('takes servers that are started and servers that are reached', () => {
  const confirm = () => true;
  const configs = {
    files: {
      command: 'npx',
      args: ['-y', 'x'],
      env: { A: 'b' },
      cwd: '/',
      effects: { read: 'read' },
      timeoutMs: 5,
    },
    mail: { rest: 'http://localhost:8001', service: { sign: async () => '' }, tls: { ca: 'x' } },
    'crm-2': { url: 'https://crm.example/mcp', headers: { a: 'b' }, confirm },
  };
  expect([...readServerConfigs(configs)]).toEqual(Object.entries(configs));
});

test.each<[string, unknown]>([
  ['mcp', []],
  ['mcp.Files', { Files: { command: 'x' } }],
  ['mcp.my_server', { my_server: { command: 'x' } }],
  ['mcp.__proto__', JSON.parse('{"__proto__":{"command":"x"}}')],
  ['mcp.a', { a: 'npx' }],
  ['mcp.a', { a: {} }],
  ['mcp.a', { a: { command: 'x', url: 'http://b' } }],
  ['mcp.a.command', { a: { command: '' } }],
  ['mcp.a', { a: { rest: 'http://a', url: 'http://b' } }],
  ['mcp.a.rest', { a: { rest: 'mail' } }],
  ['mcp.a.auth', { a: { rest: 'http://b', auth: {} } }],
  ['mcp.a.service', { a: { rest: 'http://b', service: 'secret' } }],
  ['mcp.a.tls', { a: { rest: 'http://b', tls: { cert: 1 } } }],
  ['mcp.a.args', { a: { command: 'x', args: 'y' } }],
  ['mcp.a.args', { a: { command: 'x', args: [1] } }],
  ['mcp.a.env', { a: { command: 'x', env: { A: 1 } } }],
  ['mcp.a.cwd', { a: { command: 'x', cwd: 1 } }],
  ['mcp.a.url', { a: { url: 'file:///etc/passwd' } }],
  ['mcp.a.url', { a: { url: 'localhost' } }],
  ['mcp.a.headers', { a: { url: 'http://b', headers: { A: 1 } } }],
  ['mcp.a.headers', { a: { command: 'x', headers: {} } }],
  ['mcp.a.effects.read', { a: { command: 'x', effects: { read: 'reads' } } }],
  ['mcp.a.confirm', { a: { command: 'x', confirm: true } }],
  ['mcp.a.timeoutMs', { a: { command: 'x', timeoutMs: -1 } }],
  ['mcp.a.maxParallelCalls', { a: { command: 'x', maxParallelCalls: 0 } }],
  ['mcp.a.deny', { a: { command: 'x', deny: 'pay' } }],
  ['mcp.a.trusted', { a: { command: 'x', trusted: 'yes' } }],
  ['mcp.a.auth', { a: { command: 'x', auth: {} } }],
  ['mcp.a.auth', { a: { url: 'http://b', auth: 'Bearer x' } }],
  ['mcp.a.auth.grant', { a: { url: 'http://b', auth: { grant: 'constructor' } } }],
  ['mcp.a.auth.redirectUrl', { a: { url: 'http://b', auth: user } }],
  ['mcp.a.auth.privateKey', { a: { url: 'http://b', auth: { ...user, privateKey: 'x' } } }],
  ['mcp.a.auth.issuer', { a: { url: 'http://b', auth: { ...user, issuer: 'login' } } }],
  ['mcp.a.auth.trustedHosts', { a: { url: 'http://b', auth: { ...user, trustedHosts: 'x' } } }],
  ['mcp.a.auth.clientId', { a: { url: 'http://b', auth: { ...client, clientId: '' } } }],
  ['mcp.a.auth', { a: { url: 'http://b', auth: client } }],
  [
    'mcp.a.auth',
    { a: { url: 'http://b', auth: { ...client, clientSecret: 'x', privateKey: 'y' } } },
  ],
])('names %s when it is wrong', (field, mcp) => {
  expect(() => readServerConfigs(mcp)).toThrow(TypeError);
  expect(() => readServerConfigs(mcp)).toThrow(`${field} must be `);
});
