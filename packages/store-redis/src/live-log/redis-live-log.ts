import { randomUUID } from 'node:crypto';
import type { LiveLog, LogKey, LogReader, LogWriter } from '@steward/core';
import type { RedisClient } from '../connection/redis-client.ts';
import { FollowedLog } from './followed-log.ts';
import { beginsRun, isChained, readEntries, type StreamEntry } from './stream-entry.ts';
import { StreamFollower } from './stream-follower.ts';
import { streamKey, tagOf, wakeKey } from './stream-keys.ts';
import { type StreamLimits, StreamWriter } from './stream-writer.ts';
import { WriteQueue } from './write-queue.ts';

/** What a log is made of. */
export interface RedisLiveLogParts {
  readonly prefix: string;
  readonly commands: RedisClient;
  /** Makes the connection of one more waiting read. */
  readonly openReading: () => RedisClient;
  /** On a Cluster one command reaches the keys of one tag only. */
  readonly isCluster: boolean;
  readonly limits: StreamLimits;
}

const pageEntries = 1_000;
/** Where it is not a Cluster, one command reaches all keys. */
const onlyLane = '0';

/**
 * A LiveLog on Redis Streams. Writers send in batches and never wait; each process reads with one connection, however
 * many runs and readers it has, or one per tag on a Cluster.
 */
export class RedisLiveLog implements LiveLog {
  readonly #parts: RedisLiveLogParts;
  readonly #queue: WriteQueue;
  readonly #followers = new Map<string, StreamFollower>();
  readonly #processId = randomUUID();
  #isClosed = false;

  constructor(parts: RedisLiveLogParts) {
    this.#parts = parts;
    this.#queue = new WriteQueue(parts.commands);
    // The first reader should not wait for a connection.
    if (!parts.isCluster) this.#followerOf(onlyLane);
  }

  open(key: LogKey, epoch: number, stored: string | null = null): LogWriter {
    const { prefix, limits } = this.#parts;
    const ofOthers = stored !== null && !stored.startsWith(`${epoch}-`) ? stored : '';
    const target = {
      streamKey: streamKey(prefix, key),
      lane: this.#laneOf(key),
      epoch,
      stored: ofOthers,
    };
    const writer = new StreamWriter(target, this.#queue, limits);
    if (this.#isClosed) return writer;
    this.#queue.enter(writer);
    // The stream is there before its first event.
    if (epoch === 1) this.#queue.add(writer);
    return writer;
  }

  /** Never rejects: a log that cannot be asked serves nobody. */
  async tail(key: LogKey, after?: string): Promise<LogReader | undefined> {
    if (this.#isClosed || (after !== undefined && !isCursor(after))) return undefined;
    const name = streamKey(this.#parts.prefix, key);
    const follower = this.#followerOf(this.#laneOf(key));
    const known = follower.get(name);
    if (known !== undefined) return this.#join(known, name, after);
    if (after === undefined && this.#queue.isBegunHere(name)) {
      return this.#follow(follower, name, []).read(after);
    }
    const entries = await this.#load(name, after);
    if (entries === undefined || this.#isClosed) return undefined;
    const log = follower.get(name) ?? this.#follow(follower, name, entries);
    return this.#join(log, name, after);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const follower of this.#followers.values()) follower.close();
    await this.#queue.drain();
    this.#queue.close();
  }

  /** A reader of a stream that is followed: perhaps from earlier on than it is, perhaps from what it has not got yet. */
  async #join(log: FollowedLog, name: string, after?: string): Promise<LogReader | undefined> {
    const reader = log.read(after);
    if (reader !== undefined) return reader;
    log.follow((await this.#range(name, `(${log.lastId}`)) ?? []);
    const caughtUp = log.read(after);
    if (caughtUp !== undefined) return caughtUp;
    const entries = (await this.#load(name, after)) ?? [];
    const joint = entries.findIndex(({ id }) => id === log.firstId);
    if (joint > 0) log.prepend(entries.slice(0, joint));
    return log.read(after);
  }

  #follow(follower: StreamFollower, name: string, entries: readonly StreamEntry[]): FollowedLog {
    const log = new FollowedLog(name, this.#parts.limits.events, (idle) => follower.remove(idle));
    log.begin(entries);
    follower.add(log);
    return log;
  }

  /** The stream from the cursor on, or all of it; `undefined` where that has a gap. */
  async #load(name: string, after: string | undefined): Promise<StreamEntry[] | undefined> {
    const entries = await this.#range(name, after ?? '-');
    const first = entries?.[0];
    if (entries === undefined || !isChained(entries)) return undefined;
    if (first === undefined)
      return after === undefined && (await this.#exists(name)) ? [] : undefined;
    return (after === undefined ? beginsRun(first) : first.id === after) ? entries : undefined;
  }

  /** What the stream holds from an id on; `undefined` when the server cannot be asked. */
  async #range(name: string, start: string): Promise<StreamEntry[] | undefined> {
    const all: StreamEntry[] = [];
    try {
      for (let from = start; ; ) {
        const range = ['XRANGE', name, from, '+', 'COUNT', pageEntries] as const;
        const page = await this.#parts.commands.call(...range);
        all.push(...readEntries(page));
        if (!Array.isArray(page) || page.length < pageEntries) return all;
        from = `(${all.at(-1)?.id}`;
      }
    } catch {
      return undefined;
    }
  }

  /** Whether there is a stream, perhaps without an event yet. */
  async #exists(name: string): Promise<boolean> {
    const count = await this.#parts.commands.call('EXISTS', name).catch(() => 0);
    return count === 1;
  }

  #laneOf({ runId }: LogKey): string {
    return this.#parts.isCluster ? tagOf(runId) : onlyLane;
  }

  #followerOf(lane: string): StreamFollower {
    const known = this.#followers.get(lane);
    if (known !== undefined) return known;
    const { prefix, commands, openReading } = this.#parts;
    const follower = new StreamFollower({
      reading: openReading(),
      commands,
      wakeKey: wakeKey(prefix, lane, this.#processId),
    });
    this.#followers.set(lane, follower);
    return follower;
  }
}

function isCursor(text: string): boolean {
  return /^(0|[1-9]\d{0,14})-(0|[1-9]\d{0,14})$/.test(text);
}
