import type { Effect } from '../events/run-event.ts';
import { isRecord } from '../internal/json.ts';
import type { ServiceSigner } from '../service-auth/service-signer.ts';
import { isConfirm, isEffect, isTimeout } from '../tools/define-tool.ts';
import type { ConfirmRule } from '../tools/tool.ts';
import { isTextArray, must } from './must.ts';
import { type ClientAuth, checkAuth, type UserAuth } from './server-auth.ts';

/**
 * What every MCP server may be given, however it is reached: what its tools may do is said here, never believed from it.
 *
 * @example
 * ```ts
 * import type { McpServerOptions } from '@steward/core';
 *
 * const careful: McpServerOptions = {
 *   effects: { search: 'read', save_draft: 'write_idempotent' },
 *   confirm: (_args, { tool }) => tool !== 'crm__save_draft',
 *   timeoutMs: 30_000,
 * };
 * ```
 */
export interface McpServerOptions {
  /** What its tools do, by the server's own name of the tool; a tool that is not named is a `write`. */
  readonly effects?: { readonly [tool: string]: Effect };
  /** Whether a person must approve calls to it; by default writes ask and reads do not. The rule sees `server__tool`. */
  readonly confirm?: ConfirmRule;
  /** Tools that nobody may use, by the server's own name. */
  readonly deny?: readonly string[];
  /** Accepts changed definitions of tools as they come; otherwise they are blocked until `assistant.approveTools`. */
  readonly trusted?: boolean;
  /** Milliseconds until a call is aborted; the assistant's `toolTimeoutMs` unless given. */
  readonly timeoutMs?: number;
  /** Calls at the same time, of all users; 128 unless given. More of them wait, 512 at most. */
  readonly maxParallelCalls?: number;
  /**
   * Milliseconds until the first run goes on without it: from the start of the child or the first request to the end of
   * the listing. 30,000 unless given for a child, which `npx` may have to install first; 10,000 for an address.
   */
  readonly connectTimeoutMs?: number;
}

/**
 * An MCP server that the assistant starts as a child process and speaks to over stdio. The child gets `PATH`, `HOME` and the
 * like, and `env`; nothing else of this process's environment. It ends with the assistant.
 *
 * @example
 * ```ts
 * import type { StdioServerConfig } from '@steward/core';
 *
 * const files: StdioServerConfig = {
 *   command: 'npx',
 *   args: ['-y', '@modelcontextprotocol/server-filesystem', '.'],
 *   effects: { read_text_file: 'read', list_directory: 'read' },
 * };
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
 */
export interface StdioServerConfig extends McpServerOptions {
  /** The program; no shell is involved. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** The child's working directory. */
  readonly cwd?: string;
}

/**
 * An MCP server that is reached over streamable HTTP.
 *
 * @example
 * ```ts
 * import type { HttpServerConfig } from '@steward/core';
 *
 * const crm: HttpServerConfig = {
 *   url: 'https://crm.example/mcp',
 *   headers: { authorization: 'Bearer …' },
 *   effects: { find_customer: 'read' },
 * };
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
 */
export interface HttpServerConfig extends McpServerOptions {
  /** `http:` or `https:`. */
  readonly url: string;
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string };
  /** How the server is told who calls, where a header is not enough. */
  readonly auth?: UserAuth | ClientAuth;
}

/**
 * A server of tools that is reached over the REST contract: `GET /mcp/discover` and `POST /mcp/execute`, each call with the
 * id of its run as `requestId`, so that the server can tell a repetition.
 *
 * @example
 * ```ts
 * import type { RestServerConfig } from '@steward/core';
 * import { serviceSigner } from '@steward/core/service-auth';
 *
 * const mail: RestServerConfig = {
 *   rest: 'https://mail.internal:8001',
 *   service: serviceSigner({
 *     service: 'orchestrator',
 *     audience: 'mail',
 *     secret: process.env['MAIL_SECRET'] ?? 'a secret of 32 bytes or more, please',
 *   }),
 *   effects: { GMAIL_FETCH_EMAILS: 'read' },
 * };
 * ```
 */
export interface RestServerConfig extends McpServerOptions {
  /** Where the server is, `http:` or `https:`; the paths of the contract are added. */
  readonly rest: string;
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string };
  /** Signs every request, in the name of the user for whom it is made. */
  readonly service?: ServiceSigner;
  /** Our certificate where the server wants one (mutual TLS), and the authority of its own; PEM. */
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
}

/**
 * How one MCP server is reached and what the host says about its tools. Give it by name in the assistant's `mcp` option.
 *
 * @example
 * ```ts
 * import type { McpServerConfig } from '@steward/core';
 *
 * const mcp: Record<string, McpServerConfig> = {
 *   files: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '.'] },
 *   crm: { url: 'https://crm.example/mcp', confirm: 'always' },
 *   mail: { rest: 'http://localhost:8001' },
 * };
 * ```
 */
export type McpServerConfig = StdioServerConfig | HttpServerConfig | RestServerConfig;

/** The servers that speak MCP itself. */
export type NativeServerConfig = StdioServerConfig | HttpServerConfig;

/** No underscore: in `server__tool` the first `__` always ends the server's name. */
const SERVER_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const NUMBERS = ['timeoutMs', 'connectTimeoutMs', 'maxParallelCalls'];
const SHARED_FIELDS = ['effects', 'confirm', 'deny', 'trusted', ...NUMBERS];
const STDIO_FIELDS = new Set(['command', 'args', 'env', 'cwd', ...SHARED_FIELDS]);
const REST_FIELDS = new Set(['rest', 'headers', 'service', 'tls', ...SHARED_FIELDS]);
const HTTP_FIELDS = new Set(['url', 'headers', 'auth', ...SHARED_FIELDS]);

/** The checked `mcp` option, by name. Throws a `TypeError` naming the field, such as `mcp.files.command`. */
export function readServerConfigs(mcp: unknown): ReadonlyMap<string, McpServerConfig> {
  must(isRecord(mcp), 'mcp', 'an object of servers by name');
  const entries = Object.entries(mcp as Record<string, unknown>);
  return new Map(entries.map(([name, config]) => [name, readServerConfig(name, config)]));
}

const KINDS = [
  { key: 'command', fields: STDIO_FIELDS, check: checkStdio },
  { key: 'url', fields: HTTP_FIELDS, check: checkHttp },
  { key: 'rest', fields: REST_FIELDS, check: checkRest },
];

function readServerConfig(name: string, config: unknown): McpServerConfig {
  const field = `mcp.${name}`;
  must(SERVER_NAME.test(name), field, 'named by 1 to 32 lower-case letters, digits and hyphens');
  must(isRecord(config), field, 'an object');
  const given = config as Record<string, unknown>;
  const kinds = KINDS.filter(({ key }) => key in given);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw new TypeError(`${field} must be an object with either command, url or rest`);
  for (const key of Object.keys(given))
    must(kind.fields.has(key), `${field}.${key}`, `one of ${[...kind.fields].join(', ')}`);
  kind.check(field, given);
  checkShared(field, given);
  return given as unknown as McpServerConfig;
}

function checkStdio(field: string, { command, args, env, cwd }: Record<string, unknown>): void {
  must(typeof command === 'string' && command !== '', `${field}.command`, 'a program');
  must(isTextArray(args), `${field}.args`, 'an array of strings');
  must(isTextRecord(env), `${field}.env`, 'an object of strings');
  must(cwd === undefined || typeof cwd === 'string', `${field}.cwd`, 'a path');
}

function checkHttp(field: string, { url, headers, auth }: Record<string, unknown>): void {
  must(isHttpUrl(url), `${field}.url`, 'an http or https URL');
  must(isTextRecord(headers), `${field}.headers`, 'an object of strings');
  if (auth === undefined) return;
  must(isRecord(auth), `${field}.auth`, 'an object');
  checkAuth(`${field}.auth`, auth as Record<string, unknown>);
}

function checkRest(field: string, given: Record<string, unknown>): void {
  const { rest, headers, service, tls } = given;
  must(isHttpUrl(rest), `${field}.rest`, 'an http or https URL');
  must(isTextRecord(headers), `${field}.headers`, 'an object of strings');
  const signs = isRecord(service) && typeof service['sign'] === 'function';
  must(service === undefined || signs, `${field}.service`, 'made by serviceSigner');
  must(isTextRecord(tls), `${field}.tls`, 'an object with cert, key or ca');
}

function isHttpUrl(value: unknown): boolean {
  const parsed = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
}

function checkShared(field: string, given: Record<string, unknown>): void {
  const { effects, confirm, deny, trusted, ...numbers } = given;
  must(isTextArray(deny), `${field}.deny`, 'an array of strings');
  must(trusted === undefined || typeof trusted === 'boolean', `${field}.trusted`, 'a boolean');
  must(
    effects === undefined || isRecord(effects),
    `${field}.effects`,
    'an object of effects by tool',
  );
  for (const [tool, effect] of Object.entries(effects ?? {})) {
    must(isEffect(effect), `${field}.effects.${tool}`, 'read, write_idempotent or write');
  }
  must(isConfirm(confirm), `${field}.confirm`, "'always', 'never' or a function");
  for (const name of NUMBERS) {
    const isFit = numbers[name] === undefined || isTimeout(numbers[name]);
    const unit = name.endsWith('Ms') ? ' of milliseconds' : ', at least 1';
    must(isFit, `${field}.${name}`, `a whole number${unit}`);
  }
}

function isTextRecord(value: unknown): boolean {
  if (value === undefined) return true;
  return isRecord(value) && Object.values(value).every((member) => typeof member === 'string');
}
