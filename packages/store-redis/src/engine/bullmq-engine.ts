import {
  type EngineStats,
  type RunEngine,
  type SegmentHandler,
  StewardError,
  type Wake,
} from '@steward/core';
import { type Job, Queue, WaitingError, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { checkAddress, type RedisAddress } from '../connection/address.ts';
import { closeClient, joinClient, openClient } from '../connection/open-client.ts';
import {
  checkPrefix,
  makeClient,
  promptOptions,
  workerBlockMs,
  workerOptions,
} from '../connection/redis-client.ts';

/** Which Redis, and how much work at a time. One of `url` and `client` is given. */
export interface BullMqEngineOptions extends RedisAddress {
  /** What all keys begin with; `steward` by default. */
  readonly prefix?: string | undefined;
  /** Segments that this process runs at the same time; 100 by default. */
  readonly concurrency?: number | undefined;
}

const where = 'bullMqEngine';
const queueName = 'runs';

/** Who owns a run is decided by its store, so a job may be started as often as its worker dies. */
const startsOfOneJob = 1_000_000;
/**
 * A job of which nobody hears any more goes to another worker within five seconds: its run has no owner yet, or has lost
 * it, so nobody else would bring it back as soon. Bringing a job twice costs a refused claim.
 */
const hurry = {
  lockDuration: 4_000,
  stalledInterval: 1_000,
  drainDelay: workerBlockMs / 1_000,
};
/** How long an end waits for a Redis that is away. */
const goodbyeMs = 1_000;

/**
 * A RunEngine on BullMQ and Redis 6.2 or newer, for assistants in several processes that share their stores: each
 * segment of work goes to one of them, and to another one when that dies. Redis must not evict keys
 * (`maxmemory-policy noeviction`); what it loses the sweep of the stores brings back. It starts with everything in order
 * or not at all; `stop` ends it for good.
 *
 * @throws TypeError naming the option that is not acceptable; StewardError `store_unavailable` that says what is wrong
 * with the server and what to do.
 * @example
 * ```ts
 * import { Assistant, demoModel, type Stores } from '@steward/core';
 * import { bullMqEngine } from '@steward/store-redis';
 *
 * // Stores that all processes reach, such as those of `@steward/store-postgres`.
 * export async function open(stores: Stores): Promise<Assistant> {
 *   const engine = await bullMqEngine({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' });
 *   return new Assistant({ model: demoModel(), stores, engine });
 * }
 * ```
 * @see https://docs.bullmq.io
 */
export async function bullMqEngine(options: BullMqEngineOptions): Promise<RunEngine> {
  checkAddress(options, where);
  const { prefix = 'steward', concurrency = 100 } = options;
  checkPrefix(prefix, where);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new TypeError(`${where}: concurrency must be a positive integer, not ${concurrency}`);
  }
  const adding = makeClient(options, promptOptions);
  // The braces keep all keys of the queue together on a Cluster.
  const braced = `{${prefix}}`;
  await openClient(adding, { where, prefix: braced });
  return new BullMqEngine(adding, () => makeClient(options, workerOptions), {
    prefix: braced,
    concurrency,
  });
}

interface QueueSettings {
  readonly prefix: string;
  readonly concurrency: number;
}

interface Segment {
  readonly aborting: AbortController;
  readonly done: Promise<void>;
}

class BullMqEngine implements RunEngine {
  readonly isShared = true;
  readonly #adding: Redis | Cluster;
  readonly #openWorking: () => Redis | Cluster;
  readonly #settings: QueueSettings;
  readonly #queue: Queue<Wake>;
  /** Enqueued here and not yet seen to begin. */
  readonly #queued = new Set<string>();
  /** Until the queue knows of their end. */
  readonly #running = new Map<string, Segment>();
  #worker: Worker<Wake> | undefined;
  #working: Redis | Cluster | undefined;
  #state: 'open' | 'stopping' | 'stopped' = 'open';
  #ending: Promise<void> | undefined;

  constructor(
    adding: Redis | Cluster,
    openWorking: () => Redis | Cluster,
    settings: QueueSettings,
  ) {
    this.#adding = adding;
    this.#openWorking = openWorking;
    this.#settings = settings;
    this.#queue = new Queue(queueName, {
      connection: adding,
      prefix: settings.prefix,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      // Nobody reads BullMQ's own events.
      streams: { events: { maxLen: 1 } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#queue.on('error', ignored);
  }

  async enqueue({ runId, segment }: Wake): Promise<void> {
    if (this.#state === 'stopped') throw closed();
    const jobId = idOf({ runId, segment });
    try {
      await this.#queue.add('segment', { runId, segment }, { jobId });
    } catch (reason) {
      throw StewardError.from(reason, 'store_unavailable');
    }
    if (!this.#running.has(jobId)) this.#queued.add(jobId);
  }

  /** Throws `closed` after `stop`, and a `TypeError` when it was started before. */
  async start(handler: SegmentHandler): Promise<void> {
    if (this.#state !== 'open') throw closed();
    if (this.#worker !== undefined) throw new TypeError(`${where}: start was called twice`);
    this.#working = this.#openWorking();
    joinClient(this.#working, where);
    const { prefix, concurrency } = this.#settings;
    const worker = new Worker<Wake>(queueName, (job, token) => this.#process(job, token, handler), {
      connection: this.#working,
      prefix,
      concurrency,
      skipVersionCheck: true,
      ...hurry,
      maxStalledCount: startsOfOneJob,
    });
    this.#worker = worker;
    // Also when the lock of a job was lost: whose run it is only its store says, and who gets the job as well is refused.
    worker.on('error', ignored);
    worker.on('completed', ({ id }) => this.#forget(id));
    worker.on('failed', (job) => this.#forget(job?.id));
    worker.on('drained', () => this.#queued.clear());
  }

  stop(drainMs: number, until?: Promise<void>): Promise<void> {
    this.#ending ??= this.#end(drainMs, until);
    return this.#ending;
  }

  stats(): EngineStats {
    return { queued: this.#queued.size, running: this.#running.size };
  }

  async #end(drainMs: number, until: Promise<void> | undefined): Promise<void> {
    this.#state = 'stopping';
    await this.#worker?.pause(true);
    const timer = setTimeout(() => {
      for (const { aborting } of this.#running.values()) aborting.abort();
    }, drainMs);
    await Promise.all([until, ...[...this.#running.values()].map(({ done }) => done)]);
    clearTimeout(timer);
    await inTime(this.#worker?.close());
    this.#state = 'stopped';
    await inTime(this.#queue.close());
    if (this.#working) closeClient(this.#working);
    closeClient(this.#adding);
    this.#queued.clear();
    this.#running.clear();
  }

  async #process(job: Job<Wake>, token: string | undefined, handler: SegmentHandler) {
    if (this.#state !== 'open') {
      // Fetched while the engine was told to stop: it belongs to others.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    const id = idOf(job.data);
    const aborting = new AbortController();
    const done = this.#handle(() => handler(job.data, aborting.signal));
    this.#queued.delete(id);
    this.#running.set(id, { aborting, done });
    await done;
    // An end that never reaches the queue is nobody's running work either.
    setTimeout(() => this.#running.get(id)?.done === done && this.#forget(id), goodbyeMs).unref();
  }

  async #handle(segment: () => Promise<void>): Promise<void> {
    try {
      await segment();
    } catch (reason) {
      // A handler must not throw; the engine goes on, and the sweep brings the run back.
      process.emitWarning(StewardError.from(reason, 'internal'));
    }
  }

  #forget(id: string | undefined): void {
    if (id !== undefined) this.#running.delete(id);
  }
}

/** BullMQ takes no colon in an id. */
function idOf({ runId, segment }: Wake): string {
  return `${runId.replaceAll('%', '%25').replaceAll(':', '%3A')}_${segment}`;
}

function closed(): StewardError {
  return new StewardError('closed', 'The engine was stopped; make a new one.');
}

/** That Redis is away is said once by the client; BullMQ tries again by itself. */
function ignored(): void {}

async function inTime(work: Promise<unknown> | undefined): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, goodbyeMs);
  await Promise.race([work?.catch(ignored), over.promise]);
  clearTimeout(timer);
}
