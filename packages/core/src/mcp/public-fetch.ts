import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { StewardError } from '../errors/steward-error.ts';

/** What may be reached, and how names are resolved. */
export interface PublicFetchOptions {
  /** Hosts that the developer named: they may be anywhere. */
  readonly isTrusted: (hostname: string) => boolean;
  /** Replaced in tests. */
  readonly resolve?: typeof dns.lookup;
}

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` for addresses that somebody else names: it connects to public addresses only. What is checked is the address that
 * is connected to, so that a name may resolve to what it likes. Redirects are answers, not followed.
 */
export function publicFetch({ isTrusted, resolve = dns.lookup }: PublicFetchOptions): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const isFree = isTrusted(url.hostname);
    if (!isFree) checkUrl(url);
    const body = Buffer.from(await request.arrayBuffer());
    const protocol = url.protocol === 'https:' ? https : http;
    return new Promise((resolved, reject) => {
      const options = {
        method: request.method,
        headers: Object.fromEntries(request.headers),
        signal: request.signal,
        agent: false,
        ...(isFree ? {} : { lookup: publicLookup(resolve) }),
      };
      const sent = protocol.request(url, options, (incoming) => resolved(responseOf(incoming)));
      sent.on('error', reject);
      sent.end(body);
    });
  };
}

function responseOf(incoming: http.IncomingMessage): Response {
  const { statusCode: status = 502, statusMessage: statusText = '' } = incoming;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const init = { status, statusText, headers };
  if (!NO_BODY.has(status)) return new Response(Readable.toWeb(incoming) as Body, init);
  incoming.resume();
  return new Response(null, init);
}

type Body = ConstructorParameters<typeof Response>[0];

/** An address in the URL itself is never looked up. */
function checkUrl({ protocol, hostname }: URL): void {
  if (protocol !== 'http:' && protocol !== 'https:') throw refused(`${protocol} address`);
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !isPublic(literal)) throw refused(hostname);
}

function publicLookup(resolve: typeof dns.lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      const isGood = first !== undefined && addresses.every(({ address }) => isPublic(address));
      if (!isGood) return callback(refused(hostname), '', 0);
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

const refused = (what: string): StewardError =>
  new StewardError(
    'mcp_failed',
    `A tool server names ${what}, which is not on the public internet; name the host in auth.trustedHosts if it is right.`,
  );

const reserved = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]) {
  const [network = '', prefix] = range.split('/');
  reserved.addSubnet(network, Number(prefix), 'ipv4');
}
// Of IPv6 only global unicast is public, without what holds an IPv4 address or none at all.
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  reserved.addSubnet(network, prefix, 'ipv6');
}

/** Whether an address is one of the public internet. */
export function isPublic(address: string): boolean {
  if (!isIPv6(address)) return !reserved.check(address, 'ipv4');
  return global.check(address, 'ipv6') && !reserved.check(address, 'ipv6');
}
