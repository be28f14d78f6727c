import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import type { OutgoingRequest, ServiceKey } from '../../src/service-auth/index.ts';
import {
  inProcessReplayGuard,
  serviceSigner,
  serviceVerifier,
} from '../../src/service-auth/index.ts';
import { listen } from '../mcp/servers/http-server.ts';

const secret = 'a secret of exactly thirty-two b';
const request = { method: 'POST', path: '/mcp/execute?a=1', body: '{"tools":[]}' };

const ed = pemPair(generateKeyPairSync('ed25519'));
const other = pemPair(generateKeyPairSync('ed25519'));

function pemPair({ publicKey, privateKey }: ReturnType<typeof generateKeyPairSync>) {
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    object: publicKey,
  };
}

const signer = serviceSigner({ service: 'orchestrator', audience: 'mail', secret });
const verifierOf = (...keys: ServiceKey[]) =>
  serviceVerifier({ audience: 'mail', services: { orchestrator: keys } });

async function bearer(change: Partial<OutgoingRequest> = {}) {
  return `Bearer ${await signer.sign({ ...request, ...change })}`;
}

/** A token with claims of one's own choice. */
function forged(claims: object, header: object = {}) {
  const now = Math.floor(Date.now() / 1_000);
  const all = { iss: 'orchestrator', aud: 'mail', iat: now, exp: now + 30, jti: randomUUID() };
  return new SignJWT({ ...all, ...claims })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(new TextEncoder().encode(secret));
}

const signed = {
  htm: 'POST',
  path: request.path,
  body_sha256: '_i87TvSUktgcs1D7aJv5-d_2z9GBfXLW_5_jNQ49Xmo',
};

test('a signed request is accepted, with the service and the user it is made for', async () => {
  const verifier = verifierOf({ secret });
  await expect(verifier.verify(await bearer(), request)).resolves.toEqual({
    service: 'orchestrator',
    user: null,
  });
  const user = { userId: 'ann', tenantId: 'acme' };
  await expect(verifier.verify(await bearer({ user }), request)).resolves.toMatchObject({ user });
});

test('a body is the same as text and as bytes', async () => {
  const bytes = { ...request, body: new TextEncoder().encode(request.body) };
  await expect(verifierOf({ secret }).verify(await bearer(), bytes)).resolves.toBeDefined();
});

test('a token is good once', async () => {
  const verifier = verifierOf({ secret });
  const token = await bearer();
  await verifier.verify(token, request);
  await expect(verifier.verify(token, request)).rejects.toMatchObject({
    code: 'unauthenticated',
    detail: expect.stringContaining('used before'),
  });
});

test.each([
  ['method', { method: 'PUT' }],
  ['path', { path: '/mcp/execute' }],
  ['body', { body: '{"tools":[1]}' }],
])('a token for another %s is refused', async (what, change) => {
  const refusal = verifierOf({ secret }).verify(await bearer(), { ...request, ...change });
  await expect(refusal).rejects.toMatchObject({
    detail: expect.stringContaining(`another ${what}`),
  });
});

test.each<[string, () => Promise<string> | string]>([
  ['nothing', () => ''],
  ['no token', () => 'Basic YTpi'],
  ['what is no token', () => 'Bearer a.b.c'],
  ['too much', () => `Bearer ${'a'.repeat(9_000)}`],
  [
    'a token without signature',
    async () => `Bearer ${new UnsecuredJWT({ iss: 'orchestrator' }).encode()}`,
  ],
  [
    'a token of an unknown service',
    async () => `Bearer ${await forged({ ...signed, iss: 'stranger' })}`,
  ],
  [
    'a token of a prototype',
    async () => `Bearer ${await forged({ ...signed, iss: 'constructor' })}`,
  ],
  [
    'a token for another service',
    async () => `Bearer ${await forged({ ...signed, aud: 'files' })}`,
  ],
  [
    'a token that has run out',
    async () => `Bearer ${await forged({ ...signed, iat: 1, exp: 31 })}`,
  ],
  [
    'a token that lives too long',
    async () => `Bearer ${await forged({ ...signed, exp: 2 ** 40 })}`,
  ],
  ['a token without an id', async () => `Bearer ${await forged({ ...signed, jti: undefined })}`],
  ['a token that holds for any request', async () => `Bearer ${await forged({})}`],
])('refuses %s', async (_, token) => {
  const refusal = verifierOf({ secret }).verify(await token(), request);
  await expect(refusal).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('the forger of the refused tokens makes good ones, too', async () => {
  const token = `Bearer ${await forged(signed)}`;
  await expect(verifierOf({ secret }).verify(token, request)).resolves.toBeDefined();
});

test('private keys sign, and a new key is accepted beside the old one', async () => {
  const { privateKey } = ed;
  const own = serviceSigner({ service: 'orchestrator', audience: 'mail', privateKey });
  const sign = async () => `Bearer ${await own.sign(request)}`;
  const both = verifierOf({ publicKey: other.publicKey }, { publicKey: ed.publicKey });
  await expect(both.verify(await sign(), request)).resolves.toBeDefined();
  const onlyOther = verifierOf({ publicKey: other.publicKey });
  await expect(onlyOther.verify(await sign(), request)).rejects.toMatchObject({
    code: 'unauthenticated',
  });
});

test('a public key is no shared secret', async () => {
  const token = await new SignJWT({ ...signed, iss: 'orchestrator', aud: 'mail', jti: 'x' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('30s')
    .sign(new TextEncoder().encode(ed.publicKey));
  const refusal = verifierOf({ publicKey: ed.publicKey }).verify(`Bearer ${token}`, request);
  await expect(refusal).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('keys are fetched where a service publishes them', async () => {
  const jwk = { ...(await exportJWK(ed.object as never)), kid: 'one', alg: 'EdDSA' };
  const server = await listen((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  onTestFinished(() => server.close());
  const own = serviceSigner({
    service: 'orchestrator',
    audience: 'mail',
    privateKey: ed.privateKey,
    keyId: 'one',
  });
  const verifier = verifierOf({ jwks: server.url });
  const token = `Bearer ${await own.sign(request)}`;
  await expect(verifier.verify(token, request)).resolves.toMatchObject({ service: 'orchestrator' });
});

test('a guard that is full takes no new token instead of forgetting one', async () => {
  const guard = inProcessReplayGuard(2);
  const soon = Date.now() + 60_000;
  expect(await guard.firstUse('a', soon)).toBe(true);
  expect(await guard.firstUse('b', soon)).toBe(true);
  expect(await guard.firstUse('c', soon)).toBe(false);
  expect(await guard.firstUse('a', soon)).toBe(false);
});

test.each([
  ['service', { service: '' }],
  ['audience', { audience: '' }],
  ['secret', { secret: 'short' }],
  ['secret', { privateKey: 'and a secret' }],
  ['lifetimeSeconds', { lifetimeSeconds: 301 }],
])('names a wrong %s', (field, change) => {
  const options = { service: 'a', audience: 'b', secret, ...change };
  expect(() => serviceSigner(options)).toThrow(new RegExp(`serviceSigner: ${field} must be`));
});

test('names a wrong key', () => {
  expect(() => verifierOf({ secret: 'short' })).toThrow('services.orchestrator.secret');
  expect(() => verifierOf({ publicKey: 'x', algorithm: 'HS256' })).toThrow('algorithm');
});
