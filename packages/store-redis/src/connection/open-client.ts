import { StewardError } from '@steward/core';
import type { Cluster, Redis } from 'ioredis';
import { examine, failureOf, type RedisFinding, unfit } from './examination.ts';
import type { RedisClient } from './redis-client.ts';

/** Whose client it is, and what its keys begin with. */
export interface ClientUse {
  /** Names the function in messages. */
  readonly where: string;
  readonly prefix: string;
}

/** Longer than a connection may take: Sentinels are asked for ever, and nobody is told. */
const startMs = 8_000;

/**
 * Connects a client and looks at its servers. Throws `store_unavailable` saying what is wrong and what to do; the client
 * is then disconnected. Afterwards the client survives whatever becomes of the server.
 */
export async function openClient(client: Redis | Cluster, use: ClientUse): Promise<void> {
  const findings = await connectAndExamine(client, use);
  const failure = failureOf(findings);
  if (failure === undefined) return;
  closeClient(client);
  throw unfit(use.where, failure);
}

/** Connects a client and looks at its servers. Disconnected where that cannot be done, for which it throws. */
export async function connectAndExamine(
  client: Redis | Cluster,
  { where, prefix }: ClientUse,
): Promise<readonly RedisFinding[]> {
  let latest: Error | undefined;
  const onError = (reason: Error) => {
    latest = reason;
  };
  client.on('error', onError);
  try {
    await inTime(client.connect());
    const findings = await examine(client, prefix);
    // As of a database that does not exist: the client would go on with another one.
    if (latest !== undefined) throw latest;
    watch(client, where);
    return findings;
  } catch (reason) {
    watch(client, where);
    closeClient(client);
    throw unreachable(where, saying(reason, latest));
  } finally {
    client.off('error', onError);
  }
}

async function inTime(connecting: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('timed out')), startMs);
  try {
    await Promise.race([connecting, promise]);
  } finally {
    clearTimeout(timer);
  }
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

/** The client's own reason is often only that its connection is closed. */
function saying(reason: unknown, latest: Error | undefined): Error {
  if (latest !== undefined) return latest;
  return reason instanceof Error ? reason : new Error(String(reason));
}

const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/WRONGPASS|invalid (username-)?password/i, 'The user or the password is wrong.'],
  [/NOAUTH/, 'The server wants a password: put it into the URL, as redis://:password@host:6379.'],
  [/NOPERM/, 'Its user lacks a right: the README has the commands that it needs.'],
  [
    /All sentinels are unreachable/,
    'Do the Sentinels answer, and do they watch a server of that name?',
  ],
  [
    /cluster support disabled/i,
    'The server is none of a Cluster: its address begins with redis://.',
  ],
  [
    /slots cache|startup nodes/i,
    'No node of the Cluster answers: are the hosts right, and are they of a Cluster?',
  ],
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
    retryable: false,
  });
}
