import type { RedisClient } from '../connection/redis-client.ts';
import { appendCommand, appendScript } from './append-script.ts';
import type { Outbox, StreamWriter } from './stream-writer.ts';

/** Between two sendings: what is published in the meantime goes together. */
const pauseMs = 2;
/** After a refusal, as of a server without memory. */
const retryMs = 250;

interface AppendPipeline {
  [appendCommand](key: string, ...args: (string | number)[]): unknown;
  exec(): Promise<[reason: Error | null, reply: unknown][] | null>;
}

/**
 * Sends what the writers of this process have, all runs together. The first event goes out at once, later ones every
 * few milliseconds. Per writer one batch is under way at a time, so its order is kept.
 */
export class WriteQueue implements Outbox {
  readonly #client: RedisClient;
  /** Writers that may have something, and are not under way. */
  readonly #waiting = new Set<StreamWriter>();
  readonly #underWay = new Set<StreamWriter>();
  readonly #open = new Map<string, Set<StreamWriter>>();
  #cancelFlush: (() => void) | undefined;
  #sentAt = 0;
  isClosed = false;

  constructor(client: RedisClient) {
    this.#client = client;
    client.defineCommand(appendCommand, { lua: appendScript, numberOfKeys: 1 });
    client.on('ready', () => this.#verify());
  }

  enter(writer: StreamWriter): void {
    const { streamKey } = writer.target;
    const writers = this.#open.get(streamKey) ?? new Set();
    this.#open.set(streamKey, writers.add(writer));
  }

  leave(writer: StreamWriter): void {
    const { streamKey } = writer.target;
    const writers = this.#open.get(streamKey);
    writers?.delete(writer);
    if (writers?.size === 0) this.#open.delete(streamKey);
    this.#waiting.delete(writer);
  }

  /** Whether a run is written by this process under its first epoch: then its stream begins here. */
  isBegunHere(streamKey: string): boolean {
    for (const { target } of this.#open.get(streamKey) ?? []) if (target.epoch === 1) return true;
    return false;
  }

  add(writer: StreamWriter): void {
    if (this.#underWay.has(writer)) return;
    this.#waiting.add(writer);
    this.#schedule(this.#sentAt + pauseMs - performance.now());
  }

  /** Drops everything; nobody waits any longer. */
  close(): void {
    this.isClosed = true;
    this.#cancelFlush?.();
    for (const writers of this.#open.values()) for (const writer of writers) writer.leave();
  }

  /** Waits until nothing is left to send, as each writer would. */
  async drain(): Promise<void> {
    const writers = [...this.#open.values()].flatMap((some) => [...some]);
    await Promise.all(writers.map((writer) => writer.close()));
  }

  /** The server may have lost what it had: every writer compares. */
  #verify(): void {
    for (const writers of this.#open.values()) for (const writer of writers) this.add(writer);
  }

  #schedule(ms: number): void {
    if (this.#cancelFlush !== undefined || this.isClosed) return;
    const flush = () => {
      this.#cancelFlush = undefined;
      this.#flush();
    };
    if (ms > 0) {
      const timer = setTimeout(flush, ms);
      this.#cancelFlush = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(flush);
      this.#cancelFlush = () => clearImmediate(immediate);
    }
  }

  #flush(): void {
    // Once it is ready again, every writer is looked after.
    if (this.isClosed || this.#client.status !== 'ready') return;
    this.#sentAt = performance.now();
    const lanes = Map.groupBy(this.#waiting, ({ target }) => target.lane);
    this.#waiting.clear();
    for (const writers of lanes.values()) void this.#send(writers);
  }

  /** Sends one batch of each writer. Never throws. */
  async #send(writers: readonly StreamWriter[]): Promise<void> {
    for (const writer of writers) this.#underWay.add(writer);
    const replies = await this.#append(writers);
    for (const [index, writer] of writers.entries()) {
      this.#underWay.delete(writer);
      if (this.isClosed) continue;
      const [reason, reply] = replies[index] ?? [new Error('no answer'), undefined];
      if (reason === null) writer.settle(reply);
      if (!writer.hasUnsent) continue;
      this.#waiting.add(writer);
      this.#schedule(reason === null ? pauseMs : retryMs);
    }
  }

  async #append(writers: readonly StreamWriter[]) {
    try {
      const pipeline = this.#client.pipeline() as unknown as AppendPipeline;
      for (const writer of writers) {
        pipeline[appendCommand](writer.target.streamKey, ...writer.batch());
      }
      return (await pipeline.exec()) ?? [];
    } catch {
      // The connection is gone; the client says so, and what was not sent stays.
      return [];
    }
  }
}
