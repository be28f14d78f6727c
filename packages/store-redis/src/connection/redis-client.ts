import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseAddress, type RedisAddress } from './address.ts';

/** What this package asks of a client: the same for one server, behind Sentinel and on a Cluster. */
export interface RedisClient {
  readonly status: string;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  defineCommand(name: string, definition: { lua: string; numberOfKeys: number }): void;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: string, listener: (reason: Error) => void): unknown;
  off(event: string, listener: (reason: Error) => void): unknown;
  connect(): Promise<void>;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  pipeline(): unknown;
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

/** For a connection that only listens, however long nothing is said. */
export const listeningOptions: ClientOptions = {
  ...always,
  enableOfflineQueue: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  socketTimeout: undefined,
  keepAlive: 10_000,
};

/** How long BullMQ's worker waits at the server for a job: who popped its mark and froze keeps the others waiting as long. */
export const workerBlockMs = 2_000;

/** For BullMQ's worker, which waits for its connection by itself. */
export const workerOptions: ClientOptions = {
  ...always,
  maxRetriesPerRequest: null,
  socketTimeout: 2 * workerBlockMs,
};

/** Makes a client that is not connected yet. */
export function makeClient({ url, client }: RedisAddress, options: ClientOptions): Redis | Cluster {
  if (client instanceof Cluster) {
    const { redisOptions } = client.options;
    return client.duplicate([], clusterOptions({ ...redisOptions, ...options }));
  }
  if (client !== undefined) return client.duplicate(options);
  const { kind, hosts, name, db, access } = parseAddress(url ?? '', 'url');
  if (kind === 'cluster') return new Cluster([...hosts], clusterOptions({ ...options, ...access }));
  if (kind === 'server') return new Redis({ ...options, ...access, ...hosts[0], db });
  return new Redis({
    ...options,
    ...access,
    db,
    sentinels: [...hosts],
    name,
    sentinelRetryStrategy: retryStrategy,
    enableTLSForSentinelMode: access.tls !== undefined,
    // Sentinels say when another server takes over: nobody has to notice by failing.
    failoverDetector: true,
  });
}

/** What a Cluster decides for all its connections it does not take from one. */
function clusterOptions(options: ClientOptions) {
  const { enableOfflineQueue = true, ...redisOptions } = options;
  delete redisOptions.retryStrategy;
  return {
    lazyConnect: true,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    keyPrefix: '',
    redisOptions,
  };
}

export function isCluster({ url, client }: RedisAddress): boolean {
  return (
    client instanceof Cluster || (url !== undefined && parseAddress(url, 'url').kind === 'cluster')
  );
}

/** Names what the keys begin with. */
export function checkPrefix(prefix: string, where: string): void {
  if (/^[\w.-]+(:[\w.-]+)*$/.test(prefix)) return;
  throw new TypeError(
    `${where}: prefix must be of letters, digits and . _ - with : between parts, not "${prefix}"`,
  );
}
