import type { TLSSocket } from 'node:tls';
import { StewardError } from '../errors/steward-error.ts';
import type { ServiceCaller } from './service-verifier.ts';

/**
 * The certificates of the services that may call, by the name of the service: a DNS name or a URI (such as a SPIFFE id)
 * among the certificate's subject alternative names, or its SHA-256 fingerprint.
 *
 * @example
 * ```ts
 * import type { CallerCertificates } from '@steward/core/service-auth';
 *
 * const certificates: CallerCertificates = {
 *   orchestrator: 'spiffe://prod.example/orchestrator',
 *   backup: 'backup.internal',
 * };
 * ```
 */
export interface CallerCertificates {
  readonly [service: string]: string;
}

/**
 * Which service is at the other end of a TLS connection, by the certificate that it showed (mutual TLS). The server has to
 * ask for certificates and to know their authority: `https.createServer({ requestCert: true, ca, ... })`.
 *
 * @throws StewardError `unauthenticated` when no certificate was shown, its authority is not known, or it is nobody's who may
 * call.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 subject alternative names
 * @see https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/
 * @example
 * ```ts
 * import type { TLSSocket } from 'node:tls';
 * import { certificateCaller } from '@steward/core/service-auth';
 *
 * export const callerOf = (socket: TLSSocket) =>
 *   certificateCaller(socket, { orchestrator: 'spiffe://prod.example/orchestrator' }).service;
 * ```
 */
export function certificateCaller(
  socket: TLSSocket,
  certificates: CallerCertificates,
): ServiceCaller {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) throw refused('none was shown whose authority is known');
  const uris = urisOf(certificate.subjectAltName ?? '');
  const found = Object.entries(certificates).find(([, name]) => {
    if (name.includes('://')) return uris.includes(name);
    if (FINGERPRINT.test(name)) return certificate.fingerprint256 === name.toUpperCase();
    return certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined;
  });
  if (found === undefined) throw refused('it is nobody’s who may call');
  return { service: found[0], user: null };
}

const FINGERPRINT = /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i;

/** Node quotes a name that holds what separates names: such a one is nobody's. */
function urisOf(names: string): readonly string[] {
  if (names.includes('"')) return [];
  return names.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice(4)] : []));
}

const refused = (reason: string): StewardError =>
  new StewardError('unauthenticated', `The client certificate is refused: ${reason}.`);
