import { isTextArray, must } from './must.ts';

/**
 * Access in the name of each user (OAuth 2.1 authorization code with PKCE): the user signs in at the server's
 * authorization server once, and calls made for this user carry this user's token. Each user has a connection of their own.
 *
 * @example
 * ```ts
 * import type { UserAuth } from '@steward/core';
 *
 * const auth: UserAuth = {
 *   grant: 'authorization_code',
 *   redirectUrl: 'https://app.example/mcp/callback',
 *   clientMetadataUrl: 'https://app.example/mcp/client.json',
 * };
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
export interface UserAuth {
  readonly grant: 'authorization_code';
  /** Where the browser comes back; give the address that it came back with to `assistant.finishSignIn`. */
  readonly redirectUrl: string;
  /** An https URL of the document that describes this client, which replaces its registration where that is supported. */
  readonly clientMetadataUrl?: string;
  /** The client's id where it was registered beforehand; it registers itself unless given. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** The authorization server at which the client was registered; the secret is sent to no other. */
  readonly issuer?: string;
  /** Scopes to ask for, separated by spaces; what the server asks for unless given. */
  readonly scope?: string;
  /** Hosts of its authorization server that are not on the public internet; others are not connected to. */
  readonly trustedHosts?: readonly string[];
}

/**
 * Access in the name of the host itself (OAuth 2.1 client credentials), with a secret or with a private key (RFC 7523).
 *
 * @example
 * ```ts
 * import type { ClientAuth } from '@steward/core';
 *
 * const auth: ClientAuth = {
 *   grant: 'client_credentials',
 *   clientId: 'steward',
 *   clientSecret: process.env['CRM_SECRET'] ?? '',
 *   issuer: 'https://login.example',
 * };
 * ```
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 */
export interface ClientAuth {
  readonly grant: 'client_credentials';
  readonly clientId: string;
  /** Either this or `privateKey`. */
  readonly clientSecret?: string;
  /** PEM (PKCS 8) of the key that signs the client's assertions. */
  readonly privateKey?: string;
  /** Its algorithm; `'ES256'` unless given. */
  readonly algorithm?: string;
  /** The authorization server at which the client was registered; the secret is sent to no other. */
  readonly issuer?: string;
  readonly scope?: string;
  /** Hosts of its authorization server that are not on the public internet; others are not connected to. */
  readonly trustedHosts?: readonly string[];
}

const TEXTS = ['clientId', 'clientSecret', 'issuer', 'scope'];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  authorization_code: ['redirectUrl', 'clientMetadataUrl', ...TEXTS],
  client_credentials: ['privateKey', 'algorithm', ...TEXTS],
};

/** Throws a `TypeError` naming the field of `auth` that is not acceptable. */
export function checkAuth(field: string, auth: Readonly<Record<string, unknown>>): void {
  const { grant, trustedHosts, ...given } = auth;
  const known = Object.hasOwn(FIELDS, String(grant)) ? FIELDS[String(grant)] : undefined;
  must(known !== undefined, `${field}.grant`, `one of ${Object.keys(FIELDS).join(', ')}`);
  for (const [key, value] of Object.entries(given)) {
    must(known?.includes(key), `${field}.${key}`, `one of ${known?.join(', ')}`);
    must(typeof value === 'string' && value !== '', `${field}.${key}`, 'a text');
  }
  must(isTextArray(trustedHosts), `${field}.trustedHosts`, 'an array of strings');
  const { issuer } = given;
  const isUrl = issuer === undefined || (typeof issuer === 'string' && URL.canParse(issuer));
  must(isUrl, `${field}.issuer`, 'a URL');
  if (grant === 'authorization_code') {
    must(URL.canParse(String(given['redirectUrl'])), `${field}.redirectUrl`, 'a URL');
    return;
  }
  must(given['clientId'], `${field}.clientId`, 'a text');
  const isOne = 'clientSecret' in given !== 'privateKey' in given;
  must(isOne, field, 'an object with either clientSecret or privateKey');
}
