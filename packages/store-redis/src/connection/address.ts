import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** Where Redis is: one of the two is given. */
export interface RedisAddress {
  /**
   * One server, as `redis://user:password@host:6379/0`; Sentinels and the name of what they watch, as
   * `redis+sentinel://user:password@host:26379,host2:26379/name/0`; nodes of a Cluster, as
   * `redis+cluster://user:password@host:6379,host2:6379`. With TLS it begins with `rediss`.
   */
  readonly url?: string | undefined;
  /** A client of yours, for all that no URL can say: it says how to connect, is not used otherwise and stays open. */
  readonly client?: Redis | Cluster | undefined;
}

type Kind = 'server' | 'sentinel' | 'cluster';

/** What a URL says. */
export interface ParsedAddress {
  readonly kind: Kind;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** The name that Sentinels know the server by. */
  readonly name: string;
  readonly db: number;
  readonly access: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
}

const form =
  /^redis(?<tls>s)?(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<access>[^/]*)@)?(?<hosts>[^/@]*)(?<path>\/.*)?$/;
const hostForm = /^(?<host>\[[\da-f:.]+\]|[^\s:[\]]+)(?::(?<port>\d{1,5}))?$/i;
const ports: Readonly<Record<Kind, number>> = { server: 6_379, sentinel: 26_379, cluster: 6_379 };

/** What follows the hosts, and what to say of anything else. */
const paths: Readonly<Record<Kind, readonly [path: RegExp, says: string]>> = {
  server: [/^\/?(?<db>\d*)$/, 'must end in the number of the database, as /0'],
  sentinel: [
    /^\/(?<name>[^/]+)(?:\/(?<db>\d*))?$/,
    'must end in the name that the Sentinels watch, and the number of the database, as /name/0',
  ],
  cluster: [/^\/?$/, 'must not end in a database: a Cluster has one'],
};

/** Reads a URL. Throws a `TypeError` that names what is wrong with it, after `where`. */
export function parseAddress(url: string, where: string): ParsedAddress {
  const expected = 'must begin with redis:// or rediss://, as redis://user:password@host:6379/0';
  const parts = partsOf(
    url,
    form,
    ['tls', 'kind', 'access', 'hosts', 'path'],
    `${where}: url ${expected}`,
  );
  const kind = (parts.kind || 'server') as Kind;
  const hosts = parts.hosts.split(',').map((text) => hostOf(text, kind, where));
  if (kind === 'server' && hosts.length > 1) {
    throw new TypeError(
      `${where}: url names several hosts: it must begin with redis+sentinel:// or redis+cluster://`,
    );
  }
  const [path, says] = paths[kind];
  const { name, db } = partsOf(parts.path, path, ['name', 'db'], `${where}: url ${says}`);
  const tls = parts.tls && { tls: tlsOptions(kind, hosts) };
  const access = { ...accessOf(parts.access, where), ...tls };
  return { kind, hosts, name, db: Number(db), access };
}

/** The named groups of a pattern, `''` for those without a match. */
function partsOf<N extends string>(
  text: string,
  pattern: RegExp,
  names: readonly N[],
  otherwise: string,
): Record<N, string> {
  const found = pattern.exec(text);
  if (found === null) throw new TypeError(otherwise);
  return Object.fromEntries(names.map((name) => [name, found.groups?.[name] ?? ''])) as Record<
    N,
    string
  >;
}

function hostOf(text: string, kind: Kind, where: string) {
  const says = 'must name a host after the //, as host:6379';
  const { host, port } = partsOf(text, hostForm, ['host', 'port'], `${where}: url ${says}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port || ports[kind]) };
}

function accessOf(text: string, where: string): ParsedAddress['access'] {
  const [username = '', password = ''] = text.split(/:(.*)/s).map((part) => decoded(part, where));
  return { ...(username && { username }), ...(password && { password }) };
}

/** A server that has several names wants to hear which one is meant; of the others only addresses are known. */
function tlsOptions(kind: Kind, [first]: ParsedAddress['hosts']) {
  const isNamed = kind === 'server' && first !== undefined && isIP(first.host) === 0;
  return isNamed ? { servername: first.host } : {};
}

function decoded(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    const says = 'has a % in its user or password that is not written as %25';
    throw new TypeError(`${where}: url ${says}`);
  }
}

/** `where` names the function in the message of the `TypeError` for an address that cannot be used. */
export function checkAddress({ url, client }: RedisAddress, where: string): void {
  if ((url === undefined) === (client === undefined)) {
    throw new TypeError(`${where}: give one of url and client`);
  }
  if (url !== undefined) parseAddress(url, where);
  else if (!(client instanceof Redis) && !(client instanceof Cluster)) {
    throw new TypeError(`${where}: client must be a Redis or Cluster of ioredis`);
  }
}
