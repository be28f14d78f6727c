import { StewardError } from '@steward/core';
import type { RedisClient } from './redis-client.ts';

/** What the newest commands that are used here need. */
const oldestVersion = [6, 2] as const;

/** Whose client it is and what the server must keep. */
export interface ServerNeeds {
  /** Names the function in messages. */
  readonly where: string;
  /** Whether the server must never evict keys. */
  readonly noEviction: boolean;
}

/**
 * Connects a client and looks at its server. Throws `store_unavailable` saying what is wrong and what to do; the client
 * is then disconnected. Afterwards the client survives whatever becomes of the server.
 */
export async function openClient(client: RedisClient, needs: ServerNeeds): Promise<void> {
  let latest: Error | undefined;
  const onError = (reason: Error) => {
    latest = reason;
  };
  client.on('error', onError);
  try {
    await client.connect();
    const info = String(await client.call('INFO'));
    // As of a database that does not exist: the client would go on with another one.
    if (latest !== undefined) throw latest;
    examine(info, needs);
  } catch (reason) {
    client.disconnect();
    if (reason instanceof StewardError) throw reason;
    throw unreachable(needs.where, saying(reason, latest));
  }
  watch(client, needs.where);
  client.off('error', onError);
}

/** Connects one more client to a server that was examined. It need not be there at this moment. */
export function joinClient(client: RedisClient, where: string): void {
  watch(client, where);
  client.connect().catch(() => {
    // Said by the error event; the client tries again by itself.
  });
}

/** Ends a client; what fails on the way down is nobody's trouble. */
export function closeClient(client: RedisClient): void {
  leaving.add(client);
  client.disconnect();
}

const leaving = new WeakSet<RedisClient>();

/** Says once per outage that the server is away; without a listener an error would be thrown. */
function watch(client: RedisClient, where: string): void {
  let isAway = false;
  client.on('error', (reason) => {
    if (isAway || leaving.has(client)) return;
    isAway = true;
    process.emitWarning(`${where} lost its connection to Redis: ${reason.message}`);
  });
  client.on('ready', () => {
    isAway = false;
  });
}

function examine(info: string, { where, noEviction }: ServerNeeds): void {
  const version = field(info, 'redis_version');
  if (isOlder(version)) {
    const wanted = oldestVersion.join('.');
    throw unfit(`${where}: the server is Redis ${version}; Redis ${wanted} or newer is needed.`);
  }
  const policy = field(info, 'maxmemory_policy');
  if (noEviction && policy !== '' && policy !== 'noeviction') {
    throw unfit(
      `${where}: the server would throw work away when its memory is full (maxmemory-policy ${policy}). ` +
        'Set it to noeviction, or give another server.',
    );
  }
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestVersion;
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

function unfit(says: string): StewardError {
  return new StewardError('store_unavailable', says, { retryable: false });
}

/** The client's own reason is often only that its connection is closed. */
function saying(reason: unknown, latest: Error | undefined): Error {
  if (latest !== undefined) return latest;
  return reason instanceof Error ? reason : new Error(String(reason));
}

const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/WRONGPASS|invalid (username-)?password/i, 'The user or the password is wrong.'],
  [/NOAUTH/, 'The server wants a password: put it into the URL, as redis://:password@host:6379.'],
  [/NOPERM/, 'The user lacks a right: besides its keys it needs INFO, EVAL and EVALSHA.'],
  [/ECONNREFUSED/, 'Nothing listens there: is the server started, and is the port right?'],
  [/ENOTFOUND|EAI_AGAIN/, 'There is no such host: is its name right?'],
  [
    /ETIMEDOUT|timed out|timeout/i,
    'It does not answer: is a firewall in between, is the host right?',
  ],
  [
    /DB index|invalid DB/i,
    'There is no database of that number: the URL may end in another, as /0.',
  ],
  [/unknown command.*HELLO/i, 'The server is older than Redis 6.2, or is none.'],
  [
    /SSL|TLS|wrong version number|ECONNRESET/i,
    'Is it a server with TLS (rediss://) or without (redis://)?',
  ],
];

function unreachable(where: string, reason: Error): StewardError {
  const said = reason.message || String(Reflect.get(reason, 'code') ?? reason);
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1] ?? 'Look at its address.';
  return new StewardError('store_unavailable', `${where}: Redis cannot be used: ${said}. ${hint}`, {
    cause: reason,
  });
}
