import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** What this package asks of a client: the same for one server, behind Sentinel and on a Cluster. */
export interface RedisClient {
  readonly status: string;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  defineCommand(name: string, definition: { lua: string; numberOfKeys: number }): void;
  on(event: string, listener: (reason: Error) => void): unknown;
  off(event: string, listener: (reason: Error) => void): unknown;
  connect(): Promise<void>;
  disconnect(): void;
  pipeline(): unknown;
}

/** Where Redis is: one of the two is given. */
export interface RedisAddress {
  /** As `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url?: string | undefined;
  /** A client of yours, also for Sentinel or a Cluster: it says how to connect, is not used otherwise and stays open. */
  readonly client?: Redis | Cluster | undefined;
}

/** Whoever waits longer than this for Redis does without. */
const commandTimeoutMs = 2_000;
const longestRetryMs = 1_000;

/** Sooner than after the usual five seconds: while Redis is away, streams stand still. */
function retryStrategy(times: number): number {
  return Math.min(25 * 2 ** Math.min(times, 10), longestRetryMs) * (0.75 + Math.random() / 2);
}

type ClientOptions = Omit<RedisOptions, 'replyMapping'> & { readonly replyMapping: 'legacy' };

const always: ClientOptions = {
  lazyConnect: true,
  retryStrategy,
  connectTimeout: 5_000,
  // Keys are named here; replies would have the prefix and requests not.
  keyPrefix: '',
  // Replies look the same whatever the given client prefers.
  protocol: 2,
  replyMapping: 'legacy',
};

/** For commands that fail at once while Redis is away, and after two seconds when it hangs. */
export const promptOptions: ClientOptions = {
  ...always,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  socketTimeout: 2 * commandTimeoutMs,
};

/** How long a blocking read waits at the server. */
export const blockMs = 5_000;

/** For commands that wait at the server; a connection that is silent for longer than that is a dead one. */
export const blockingOptions: ClientOptions = {
  ...always,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  socketTimeout: 2 * blockMs,
};

/** For BullMQ's worker, which waits for its connection by itself. */
export const workerOptions: ClientOptions = { ...always, maxRetriesPerRequest: null };

/** Makes a client that is not connected yet. */
export function makeClient({ url, client }: RedisAddress, options: ClientOptions): Redis | Cluster {
  if (client instanceof Cluster) {
    // What a Cluster decides for all its connections it does not take from one.
    const { enableOfflineQueue = true, retryStrategy: _, ...redisOptions } = options;
    return client.duplicate([], {
      lazyConnect: true,
      enableOfflineQueue,
      clusterRetryStrategy: retryStrategy,
      keyPrefix: '',
      redisOptions: { ...client.options.redisOptions, ...redisOptions },
    });
  }
  if (client !== undefined) return client.duplicate(options);
  return new Redis({ ...options, ...parsed(url ?? '') });
}

export function isCluster({ client }: RedisAddress): boolean {
  return client instanceof Cluster;
}

/** `where` names the function in the message of the `TypeError` for an address that cannot be used. */
export function checkAddress({ url, client }: RedisAddress, where: string): void {
  if ((url === undefined) === (client === undefined)) {
    throw new TypeError(`${where}: give one of url and client`);
  }
  if (url === undefined) {
    if (client instanceof Redis || client instanceof Cluster) return;
    throw new TypeError(`${where}: client must be a Redis or Cluster of ioredis`);
  }
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new TypeError(
      `${where}: url must begin with redis:// or rediss://, as redis://user:password@host:6379/0`,
    );
  }
  if (!/^(\/\d*)?$/.test(new URL(url).pathname)) {
    throw new TypeError(`${where}: url must end in the number of the database, as /0`);
  }
}

/** Names what the keys begin with. */
export function checkPrefix(prefix: string, where: string): void {
  if (/^[\w.-]+(:[\w.-]+)*$/.test(prefix)) return;
  throw new TypeError(
    `${where}: prefix must be of letters, digits and . _ - with : between parts, not "${prefix}"`,
  );
}

function parsed(
  url: string,
): Pick<RedisOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'> {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: { servername: hostname } }),
  };
}
