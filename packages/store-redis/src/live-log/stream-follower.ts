import { setTimeout as wait } from 'node:timers/promises';
import { closeClient } from '../connection/open-client.ts';
import { blockMs, type RedisClient } from '../connection/redis-client.ts';
import type { FollowedLog } from './followed-log.ts';
import { readEntries } from './stream-entry.ts';

/** The two connections of a follower, and the key by which one of them wakes the other. */
export interface FollowerLink {
  /** For the waiting read alone. */
  readonly reading: RedisClient;
  readonly commands: RedisClient;
  readonly wakeKey: string;
}

const readCount = 1_000;
const retryMs = 50;
/** The wake key outlives no process by more than this. */
const wakeKeyMs = 60_000;

/**
 * Reads all streams that somebody here reads, with one waiting command on one connection. When a stream is added, the
 * follower writes to a stream of its own, which ends the wait.
 */
export class StreamFollower {
  readonly #link: FollowerLink;
  readonly #logs = new Map<string, FollowedLog>();
  #wokenAt = '0-0';
  #isRunning = false;
  /** The waiting read does not have all streams, and was not told yet. */
  #isWaiting = false;
  #isClosed = false;

  constructor(link: FollowerLink) {
    this.#link = link;
  }

  get(streamKey: string): FollowedLog | undefined {
    return this.#logs.get(streamKey);
  }

  add(log: FollowedLog): void {
    this.#logs.set(log.streamKey, log);
    if (!this.#isRunning) void this.#run();
    else if (this.#isWaiting) this.#wakeUp();
  }

  remove(log: FollowedLog): void {
    if (this.#logs.get(log.streamKey) === log) this.#logs.delete(log.streamKey);
  }

  /** Readers settle as lost. */
  close(): void {
    this.#isClosed = true;
    for (const log of this.#logs.values()) log.lose();
    closeClient(this.#link.reading);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#isClosed && this.#logs.size > 0) {
      try {
        await isReady(this.#link.reading);
        this.#take(await this.#read());
      } catch {
        // The connection is gone, which the client says, or a server is loading: the streams go on where they were.
        await wait(retryMs);
      }
    }
    this.#isRunning = false;
  }

  async #read(): Promise<unknown> {
    const { reading, wakeKey } = this.#link;
    const logs = [...this.#logs.values()];
    const keys = logs.map(({ streamKey }) => streamKey);
    const ids = logs.map(({ lastId }) => lastId);
    const how = ['BLOCK', blockMs, 'COUNT', readCount] as const;
    this.#isWaiting = true;
    try {
      const streams = [wakeKey, ...keys, this.#wokenAt, ...ids];
      return await reading.call('XREAD', ...how, 'STREAMS', ...streams);
    } finally {
      this.#isWaiting = false;
    }
  }

  #take(reply: unknown): void {
    if (!Array.isArray(reply)) return;
    for (const [key, entries] of reply as [string, [string, unknown][]][]) {
      if (key === this.#link.wakeKey) this.#wokenAt = entries.at(-1)?.[0] ?? this.#wokenAt;
      else this.#logs.get(key)?.follow(readEntries(entries));
    }
  }

  #wakeUp(): void {
    this.#isWaiting = false;
    const { commands, wakeKey } = this.#link;
    const isLost = () => {
      // The server is away: the read ends by itself.
    };
    commands.call('XADD', wakeKey, 'MAXLEN', 1, '*', 'w', '').catch(isLost);
    commands.call('PEXPIRE', wakeKey, wakeKeyMs).catch(isLost);
  }
}

/** Resolves when the client is connected, or after a while. */
function isReady(client: RedisClient): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      client.off('ready', settle);
      client.off('end', settle);
      resolve();
    };
    const timer = setTimeout(settle, blockMs);
    client.on('ready', settle);
    client.on('end', settle);
  });
}
