import { expect, onTestFinished, test, vi } from 'vitest';
import type { Principal, ToolContext } from '../../src/tools/tool.ts';
import { openPool } from './pool.ts';
import {
  type AuthorizationOptions,
  protectedServer,
  visit,
} from './servers/authorization-server.ts';

const ann: Principal = { userId: 'ann' };
const bob: Principal = { userId: 'bob' };

async function setUp(options: AuthorizationOptions = {}) {
  const server = await protectedServer(options);
  onTestFinished(() => server.close());
  const auth = { grant: 'authorization_code', redirectUrl: 'http://app.example/callback' };
  const opened = openPool({ crm: { url: server.url, headers: { 'x-own': 'secret' }, auth } });
  const { pool } = opened;
  const signIn = async (who: Principal) => {
    const page = await pool.signIn('crm', who);
    if (page === null) throw new Error('nothing to sign in to');
    await pool.finishSignIn(await visit(page), who);
    await pool.prepare(who);
  };
  return { ...opened, server, signIn, state: (who: Principal) => pool.servers(who)[0] };
}

test('a user signs in once, and calls are made in the name of that user alone', async () => {
  const { pool, call, signIn, state, server } = await setUp();
  await pool.prepare(ann);
  expect(state(ann)).toMatchObject({ status: 'unauthorized', tools: 0 });
  expect(server.seen).toEqual([]);
  await signIn(ann);
  expect(state(ann)?.status).toBe('ready');
  await expect(pool.signIn('crm', ann)).resolves.toBeNull();
  await call('crm__append', { line: 'one' }, { principal: ann });
  expect(server.ran).toEqual(['append one key_1']);
  expect(state(bob)?.status).toBe('idle');
});

test('a call of a user who has not signed in asks for it, and runs once then', async () => {
  const { pool, call, signIn, server } = await setUp();
  await signIn(ann);
  const requestInput = vi.fn<ToolContext['requestInput']>(async ({ url }) => {
    await pool.finishSignIn(await visit(url ?? ''), bob);
    return true;
  });
  const context = { principal: bob, requestInput };
  await expect(call('crm__append', { line: 'two' }, context)).resolves.toBe('appended');
  expect(requestInput).toHaveBeenCalledExactlyOnceWith({
    message: 'Sign in to "crm" to go on.',
    url: expect.stringContaining('/authorize?'),
  });
  expect(server.ran).toEqual(['append two key_1']);
});

test('a user who declines to sign in gets no call made', async () => {
  const { call, signIn, server } = await setUp();
  await signIn(ann);
  const declined = call(
    'crm__append',
    { line: 'x' },
    { principal: bob, requestInput: async () => null },
  );
  await expect(declined).rejects.toMatchObject({ code: 'authorization_required' });
  expect(server.ran).toEqual([]);
});

test('a way back is good once, and only for the user who went', async () => {
  const { pool } = await setUp();
  const page = (await pool.signIn('crm', ann)) ?? '';
  const came = await visit(page);
  await expect(pool.finishSignIn(came, bob)).rejects.toMatchObject({ code: 'not_found' });
  await pool.finishSignIn(came, ann);
  await expect(pool.finishSignIn(came, ann)).rejects.toMatchObject({ code: 'not_found' });
});

test('pages that are open at the same time are both good', async () => {
  const { pool, state } = await setUp();
  const [one, two] = [await pool.signIn('crm', ann), await pool.signIn('crm', ann)];
  expect(one).not.toBe(two);
  await pool.finishSignIn(await visit(one ?? ''), ann);
  await pool.finishSignIn(await visit(two ?? ''), ann);
  await pool.prepare(ann);
  expect(state(ann)?.status).toBe('ready');
});

test('tokens are renewed without the user, and asked for again when they are revoked', async () => {
  const { call, signIn, server } = await setUp();
  await signIn(ann);
  const echo = () =>
    call('crm__echo', { text: 'hi' }, { principal: ann, requestInput: async () => null });
  server.expire();
  await expect(echo()).resolves.toBe('hi');
  server.revoke();
  await expect(echo()).rejects.toMatchObject({ code: 'authorization_required' });
});

test('calls at once that find the token expired are all made', async () => {
  const { call, signIn, server } = await setUp();
  await signIn(ann);
  server.expire();
  const calls = Array.from({ length: 8 }, (_, index) =>
    call('crm__echo', { text: `${index}` }, { principal: ann, requestInput: async () => null }),
  );
  await expect(Promise.all(calls)).resolves.toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
});

test('a server that sends its users to something that is no web page is refused', async () => {
  const { pool } = await setUp({ authorizationEndpoint: 'javascript:alert(1)' });
  await expect(pool.signIn('crm', ann)).rejects.toMatchObject({
    code: expect.stringMatching(/mcp_failed|mcp_unavailable/),
  });
});

test('a header of the host goes to the server alone', async () => {
  const other = await protectedServer();
  onTestFinished(() => other.close());
  const { origin } = new URL(other.url);
  const { pool, server } = await setUp({ authorizationEndpoint: `${origin}/authorize` });
  await pool.signIn('crm', ann);
  expect(server.seen).toContain('/mcp secret');
  expect(other.seen.filter((line) => line.endsWith('secret'))).toEqual([]);
});
