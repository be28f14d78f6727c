import {
  createRemoteJWKSet,
  importSPKI,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { StewardError } from '../errors/steward-error.ts';
import { inProcessReplayGuard, type ReplayGuard } from './replay-guard.ts';
import { bodyDigest, MAX_TOKEN_SECONDS, type ServiceRequest } from './service-request.ts';
import { isSecret } from './service-signer.ts';

/**
 * How the tokens of one service are checked: with a secret that both share (HS256), with its public key, or with the keys
 * that it publishes.
 *
 * @example
 * ```ts
 * import type { ServiceKey } from '@steward/core/service-auth';
 *
 * const published: ServiceKey = { jwks: 'https://orchestrator.internal/jwks.json' };
 * ```
 */
export type ServiceKey =
  | { readonly secret: string }
  /** SPKI in PEM. `EdDSA` unless another algorithm is given. */
  | { readonly publicKey: string; readonly algorithm?: string }
  | { readonly jwks: string };

/**
 * Who may call, and as whom this service is called.
 *
 * @example
 * ```ts
 * import type { ServiceVerifierOptions } from '@steward/core/service-auth';
 *
 * const options: ServiceVerifierOptions = {
 *   audience: 'mail',
 *   services: { orchestrator: { jwks: 'https://orchestrator.internal/jwks.json' } },
 * };
 * ```
 */
export interface ServiceVerifierOptions {
  /** The name of this service. */
  readonly audience: string;
  /** The services that may call, by name; several keys of one while they are being changed. */
  readonly services: { readonly [service: string]: ServiceKey | readonly ServiceKey[] };
  /** Which tokens were used; known to this process alone unless given. */
  readonly replay?: ReplayGuard | undefined;
  /** How far the clocks may differ, in seconds; 5 unless given. */
  readonly clockToleranceSeconds?: number | undefined;
}

/**
 * Who made a request, as far as it is proved.
 *
 * @example
 * ```ts
 * import type { ServiceCaller } from '@steward/core/service-auth';
 *
 * const caller: ServiceCaller = { service: 'orchestrator', user: { userId: 'ann', tenantId: 'acme' } };
 * ```
 */
export interface ServiceCaller {
  readonly service: string;
  /** The user it is made for; `null` when the service speaks for itself. */
  readonly user: { readonly userId: string; readonly tenantId?: string } | null;
}

/**
 * Checks requests of other services.
 *
 * @example
 * ```ts
 * import type { ServiceVerifier } from '@steward/core/service-auth';
 *
 * export async function callerOf(verifier: ServiceVerifier, request: Request) {
 *   const { pathname, search } = new URL(request.url);
 *   const body = new Uint8Array(await request.clone().arrayBuffer());
 *   const header = request.headers.get('authorization');
 *   return verifier.verify(header, { method: request.method, path: pathname + search, body });
 * }
 * ```
 */
export interface ServiceVerifier {
  /** Who sent a request with this `Authorization` header. Throws `unauthenticated`. */
  verify(authorization: string | null | undefined, request: ServiceRequest): Promise<ServiceCaller>;
}

/** No algorithm that takes a shared secret: what a service publishes is no secret. */
const ASYMMETRIC = ['EdDSA', 'ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'PS384', 'PS512'];
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_TOKEN_CHARACTERS = 8_192;

/**
 * Makes the counterpart of {@link serviceSigner}: a request is accepted when its token is signed by a service that may
 * call, is meant for this service, has not run out, was never used before, and belongs to this very method, path and body.
 * Give it to `mcpServer` as `callers`, or ask it in a handler of your own. Why a token was refused is in the error's
 * message, for the log; tell a stranger nothing but the code.
 *
 * @throws TypeError that names the option.
 * @see https://www.rfc-editor.org/rfc/rfc8725 JSON Web Token Best Current Practices
 * @example
 * ```ts
 * import { serviceVerifier } from '@steward/core/service-auth';
 *
 * const verifier = serviceVerifier({
 *   audience: 'mail',
 *   services: { orchestrator: { secret: 'a secret of 32 bytes or more, please' } },
 * });
 * await verifier.verify(undefined, { method: 'GET', path: '/' }).catch(({ code }) => console.log(code));
 * ```
 */
export function serviceVerifier(options: ServiceVerifierOptions): ServiceVerifier {
  const { audience, replay = inProcessReplayGuard() } = options;
  const { clockToleranceSeconds: tolerance = CLOCK_TOLERANCE_SECONDS } = options;
  const services = readServices(options);
  return {
    async verify(authorization, request) {
      const token = tokenOf(authorization ?? '');
      const rules = { audience, clockTolerance: tolerance, requiredClaims: REQUIRED };
      const claims = await firstThatFits(services.get(issuerOf(token)) ?? [], token, rules);
      checkRequest(claims, request);
      await useUp(claims, replay, tolerance);
      const { iss = '' } = claims;
      return { service: iss, user: userOf(claims) };
    },
  };
}

const REQUIRED = ['exp', 'iat', 'jti', 'iss', 'htm', 'path', 'body_sha256'];

function tokenOf(authorization: string): string {
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) throw refused('it is missing');
  return token;
}

/** A token is good once, and nobody has to remember it for long. */
async function useUp(
  { iss, jti, iat = 0, exp = 0 }: JWTPayload,
  replay: ReplayGuard,
  tolerance: number,
): Promise<void> {
  if (exp - iat > MAX_TOKEN_SECONDS) throw refused('it lives too long');
  const id = JSON.stringify([iss, jti]);
  const isFirst = await replay.firstUse(id, (exp + tolerance + 1) * 1_000);
  if (!isFirst) throw refused('it was used before');
}

type Check = (token: string, rules: JWTVerifyOptions) => Promise<JWTPayload>;

function readServices({ audience, services }: ServiceVerifierOptions): Map<string, Check[]> {
  if (typeof audience !== 'string' || audience === '')
    throw new TypeError('serviceVerifier: audience must be a name');
  return new Map(
    Object.entries(services).map(([service, keys]) => {
      const list: readonly ServiceKey[] = Array.isArray(keys) ? keys : [keys as ServiceKey];
      return [service, list.map((key) => checkWith(key, `serviceVerifier: services.${service}`))];
    }),
  );
}

/** Each key with its own algorithms only: what is to be checked does not choose how. */
function checkWith(key: ServiceKey, field: string): Check {
  if ('secret' in key) {
    if (!isSecret(key.secret)) throw new TypeError(`${field}.secret must be 32 bytes or more`);
    const secret = new TextEncoder().encode(key.secret);
    return async (token, rules) =>
      (await jwtVerify(token, secret, { ...rules, algorithms: ['HS256'] })).payload;
  }
  if ('jwks' in key) {
    const keys = createRemoteJWKSet(new URL(key.jwks));
    return async (token, rules) =>
      (await jwtVerify(token, keys, { ...rules, algorithms: ASYMMETRIC })).payload;
  }
  const { publicKey, algorithm = 'EdDSA' } = key;
  if (!ASYMMETRIC.includes(algorithm))
    throw new TypeError(`${field}.algorithm must be one of ${ASYMMETRIC.join(', ')}`);
  const imported = importSPKI(publicKey, algorithm);
  imported.catch(() => undefined);
  return async (token, rules) =>
    (await jwtVerify(token, await imported, { ...rules, algorithms: [algorithm] })).payload;
}

/** Who the token says has signed it: that decides which keys it is checked with, and nothing else. */
function issuerOf(token: string): string {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const { iss } = JSON.parse(payload) as { iss?: unknown };
    return typeof iss === 'string' ? iss : '';
  } catch {
    return '';
  }
}

async function firstThatFits(
  checks: readonly Check[],
  token: string,
  rules: JWTVerifyOptions,
): Promise<JWTPayload> {
  let reason: unknown = new Error('nobody knows who signed it');
  for (const check of checks) {
    try {
      return await check(token, rules);
    } catch (error) {
      reason = error;
    }
  }
  throw refused(reason instanceof Error ? reason.message : String(reason), reason);
}

function checkRequest(claims: JWTPayload, { method, path, body }: ServiceRequest): void {
  if (claims['htm'] !== method) throw refused('it is for another method');
  if (claims['path'] !== path) throw refused('it is for another path');
  if (claims['body_sha256'] !== bodyDigest(body)) throw refused('it is for another body');
}

function userOf({ sub, tenant }: JWTPayload): ServiceCaller['user'] {
  if (sub === undefined) return null;
  return typeof tenant === 'string' ? { userId: sub, tenantId: tenant } : { userId: sub };
}

const refused = (reason: string, cause?: unknown): StewardError =>
  new StewardError('unauthenticated', `The service token is refused: ${reason}.`, { cause });
