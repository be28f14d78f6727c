import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { type CallerCertificates, certificateCaller } from '../../src/service-auth/index.ts';
import { type Certified, certificateAuthority } from './certificates.ts';

const authority = certificateAuthority();
const stranger = certificateAuthority();
afterAll(() => {
  authority.remove();
  stranger.remove();
});
const orchestrator = authority.certify({
  DNS: 'orchestrator.internal',
  URI: 'spiffe://prod/orchestrator',
});

/** What a server makes of a caller with this certificate. */
async function callerOf(shown: Certified | undefined, allowed: CallerCertificates) {
  const server = createServer(
    {
      ...authority.certify({ IP: '127.0.0.1' }),
      ca: authority.ca,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (incoming, response) => {
      try {
        response.end(certificateCaller(incoming.socket as TLSSocket, allowed).service);
      } catch (error) {
        response.end((error as { code: string }).code);
      }
    },
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', ca: authority.ca, agent: false, ...shown };
  const [response] = await once(request(options).end(), 'response');
  return text(response);
}

test.each([
  ['a DNS name', 'orchestrator.internal'],
  ['a URI', 'spiffe://prod/orchestrator'],
  ['a fingerprint', new X509Certificate(orchestrator.cert).fingerprint256],
])('a service is known by %s of its certificate', async (_, name) => {
  await expect(callerOf(orchestrator, { backup: 'backup.internal', main: name })).resolves.toBe(
    'main',
  );
});

test.each<[string, Certified | undefined, string]>([
  ['no certificate', undefined, 'spiffe://prod/orchestrator'],
  [
    'a certificate of an unknown authority',
    stranger.certify({ DNS: 'orchestrator.internal' }),
    'orchestrator.internal',
  ],
  ['the certificate of somebody else', orchestrator, 'spiffe://prod/other'],
  ['a wildcard', authority.certify({ DNS: '*.internal' }), 'orchestrator.internal'],
  ['a common name only', authority.certify({ DNS: 'other.internal' }), 'any'],
  [
    'a name that hides another one',
    authority.certify({ URI: 'spiffe://a/, URI:spiffe://prod/x' }),
    'spiffe://prod/x',
  ],
])('refuses %s', async (_, shown, name) => {
  await expect(callerOf(shown, { main: name })).resolves.toBe('unauthenticated');
});
