import { randomUUID } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { defined } from '../internal/defined.ts';
import {
  bodyDigest,
  MAX_TOKEN_SECONDS,
  MIN_SECRET_BYTES,
  type OutgoingRequest,
  TOKEN_SECONDS,
} from './service-request.ts';

/**
 * Signs requests of one service to another. Implement it yourself where the key lives in another place than this process.
 *
 * @example
 * ```ts
 * import type { ServiceSigner } from '@steward/core/service-auth';
 *
 * export async function get(signer: ServiceSigner, url: URL): Promise<Response> {
 *   const token = await signer.sign({ method: 'GET', path: url.pathname + url.search });
 *   return fetch(url, { headers: { authorization: `Bearer ${token}` } });
 * }
 * ```
 */
export interface ServiceSigner {
  /** The token for one request, to be sent as `Authorization: Bearer`. It is good for this request, once. */
  sign(request: OutgoingRequest): Promise<string>;
}

/**
 * Who signs, for whom, and with which key.
 *
 * @example
 * ```ts
 * import type { ServiceSignerOptions } from '@steward/core/service-auth';
 *
 * const options: ServiceSignerOptions = {
 *   service: 'orchestrator',
 *   audience: 'mail',
 *   secret: process.env['MAIL_SECRET'] ?? 'a secret of 32 bytes or more, please',
 * };
 * ```
 */
export interface ServiceSignerOptions {
  /** The name of the service that signs: the issuer of its tokens. */
  readonly service: string;
  /** The name of the service that is called; another one refuses the token. */
  readonly audience: string;
  /** A secret that both share, 32 bytes or more (HS256). Either this or `privateKey`. */
  readonly secret?: string | undefined;
  /** A private key, PKCS #8 in PEM. */
  readonly privateKey?: string | undefined;
  /** What the private key is for, such as `ES256`; `EdDSA` unless given. */
  readonly algorithm?: string | undefined;
  /** The `kid` of the key, where the other side has several. */
  readonly keyId?: string | undefined;
  /** How long a token is good, in seconds: 1 to 300, 30 unless given. */
  readonly lifetimeSeconds?: number | undefined;
}

/**
 * Makes a signer: each request gets a JWT of its own, with issuer, audience, a short life, an id, the user it is made for,
 * and the method, path and SHA-256 of the body, so that it is good for nothing else. Give it to the assistant's `mcp`
 * option (`{ rest, service: serviceSigner(...) }`), and {@link serviceVerifier} to the server.
 *
 * @throws TypeError that names the option.
 * @see https://www.rfc-editor.org/rfc/rfc7519 JSON Web Token
 * @see https://www.rfc-editor.org/rfc/rfc9449 the idea of `htm`: a token that holds for one request
 * @example
 * ```ts
 * import { serviceSigner, serviceVerifier } from '@steward/core/service-auth';
 *
 * const secret = 'a secret of 32 bytes or more, please';
 * const signer = serviceSigner({ service: 'orchestrator', audience: 'mail', secret });
 * const verifier = serviceVerifier({ audience: 'mail', services: { orchestrator: { secret } } });
 *
 * const request = { method: 'POST', path: '/mcp/execute', body: '{}' };
 * const token = await signer.sign({ ...request, user: { userId: 'ann' } });
 * const caller = await verifier.verify(`Bearer ${token}`, request);
 * console.log(caller.service, caller.user?.userId); // orchestrator ann
 * ```
 */
export function serviceSigner(options: ServiceSignerOptions): ServiceSigner {
  checkOptions(options);
  const { service, audience, secret, privateKey = '', keyId } = options;
  const { algorithm = 'EdDSA', lifetimeSeconds = TOKEN_SECONDS } = options;
  const alg = secret === undefined ? algorithm : 'HS256';
  let key: Promise<Parameters<SignJWT['sign']>[0]> | undefined;
  const loadKey = async () =>
    secret === undefined ? importPKCS8(privateKey, algorithm) : new TextEncoder().encode(secret);
  return {
    async sign({ method, path, body, user }) {
      key ??= loadKey();
      const now = Math.floor(Date.now() / 1_000);
      const claims = defined({
        htm: method,
        path,
        body_sha256: bodyDigest(body),
        sub: user?.userId,
        tenant: user?.tenantId,
      });
      return new SignJWT(claims)
        .setProtectedHeader({ ...defined({ kid: keyId }), alg, typ: 'JWT' })
        .setIssuer(service)
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(await key);
    },
  };
}

function checkOptions(options: ServiceSignerOptions): void {
  const { service, audience, secret, privateKey, lifetimeSeconds = TOKEN_SECONDS } = options;
  const must = (holds: boolean, field: string, rule: string): void => {
    if (!holds) throw new TypeError(`serviceSigner: ${field} must be ${rule}`);
  };
  must(typeof service === 'string' && service !== '', 'service', 'a name');
  must(typeof audience === 'string' && audience !== '', 'audience', 'a name');
  const hasOne = (secret === undefined) !== (privateKey === undefined);
  must(hasOne, 'secret', 'given, or privateKey, and not both');
  must(secret === undefined || isSecret(secret), 'secret', `${MIN_SECRET_BYTES} bytes or more`);
  const isLifetime =
    Number.isInteger(lifetimeSeconds) &&
    lifetimeSeconds >= 1 &&
    lifetimeSeconds <= MAX_TOKEN_SECONDS;
  must(isLifetime, 'lifetimeSeconds', `1 to ${MAX_TOKEN_SECONDS}`);
}

/** Whether a shared secret is long enough. */
export const isSecret = (secret: unknown): boolean =>
  typeof secret === 'string' && Buffer.byteLength(secret) >= MIN_SECRET_BYTES;
