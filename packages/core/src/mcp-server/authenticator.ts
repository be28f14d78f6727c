import type { TLSSocket } from 'node:tls';
import { StewardError } from '../errors/steward-error.ts';
import { type CallerCertificates, certificateCaller } from '../service-auth/caller-certificate.ts';
import type { ServiceCaller, ServiceVerifier } from '../service-auth/service-verifier.ts';
import type { Caller } from './server-calls.ts';

/** A request that was read. */
interface ReceivedRequest {
  readonly request: Request;
  readonly body: string;
  /** The connection that it came on, where there is one. */
  readonly socket: unknown;
}

/** Says who sent a request. Throws `unauthenticated`. */
export type Authenticate = (received: ReceivedRequest) => Promise<Caller>;

/** Who calls where nobody has to say who he is. */
export const LOCAL: Caller = { service: 'local', principal: { userId: 'local' } };

/** What was asked for has to hold, each of it: the token, and the certificate. */
export function authenticator(
  verifier: ServiceVerifier | undefined,
  certificates: CallerCertificates | undefined,
): Authenticate {
  return async (received) => {
    const shown =
      certificates && certificateCaller((received.socket ?? {}) as TLSSocket, certificates);
    const signed = verifier && (await signedCaller(verifier, received));
    if (shown && signed && shown.service !== signed.service)
      throw new StewardError('unauthenticated', 'Token and certificate name different services.');
    const caller = signed ?? shown;
    return caller === undefined ? LOCAL : speakingFor(caller);
  };
}

function signedCaller(
  verifier: ServiceVerifier,
  { request: { method, headers, url }, body }: ReceivedRequest,
): Promise<ServiceCaller> {
  const { pathname, search } = new URL(url);
  return verifier.verify(headers.get('authorization'), { method, path: pathname + search, body });
}

function speakingFor({ service, user }: ServiceCaller): Caller {
  return { service, principal: user ?? { userId: service } };
}
