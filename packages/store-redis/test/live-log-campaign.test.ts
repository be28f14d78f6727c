import { setTimeout as wait } from 'node:timers/promises';
import type { LiveLog, LogKey, LogReader, RunEvent } from '@steward/core';
import { seededRandom } from '@steward/core/testing';
import { describe, expect, it } from 'vitest';
import { woken } from '../../core/src/testing/suites/live-log-samples.ts';
import { redisStores } from '../src/index.ts';
import { privateRedis } from './private-redis.ts';
import { hasRedis } from './test-redis.ts';

const key: LogKey = { runId: 'run-1', incarnation: 'life-1' };
const leastEvents = 500;
const campaignMs = Number(process.env['STEWARD_CAMPAIGN_MS'] ?? 3_000);

function token(cursor: string): RunEvent {
  return { type: 'token', runId: key.runId, at: 1, cursor, turn: 1, text: 'x' };
}

/** One run that is written and read while everything happens to its Redis. */
class Campaign {
  readonly #random;
  readonly #server;
  readonly #published: string[] = [];
  #isOver = false;
  readonly seen = { events: 0, gaps: [] as string[], faults: 0 };

  constructor(seed: number, server: Awaited<ReturnType<typeof privateRedis>>) {
    this.#random = seededRandom(seed);
    this.#server = server;
  }

  async run(): Promise<void> {
    const replicas = await Promise.all([this.#open(), this.#open(), this.#open()]);
    const readers = replicas.map(({ liveLog }) => this.#read(liveLog));
    const work = [...readers, this.#write(), this.#fail()];
    await wait(campaignMs);
    // A busy machine takes longer to see enough.
    for (let waited = 0; this.seen.events < leastEvents && waited < 60_000; waited += 100) {
      await wait(100);
    }
    this.#isOver = true;
    await Promise.all(replicas.map((replica) => replica.close()));
    await Promise.all(work);
  }

  #open() {
    return redisStores({ url: this.#server.url, streamEvents: 400 });
  }

  /** Writes with cursors that have gaps of their own; now and then another owner takes over. */
  async #write(): Promise<void> {
    const owner = await this.#open();
    let [epoch, k] = [1, 0];
    let writer = owner.liveLog.open(key, epoch);
    while (!this.#isOver) {
      if (this.#random.integer(1, 300) === 1) {
        [epoch, k] = [epoch + 1, 0];
        void writer.close();
        writer = owner.liveLog.open(key, epoch);
        // As the run loop does: what the owner before had stored comes first, whether it was shown or not.
        const stored = this.#published.at(-1);
        if (stored !== undefined) writer.publish(token(stored));
      }
      for (let count = this.#random.integer(1, 8); count > 0; count--) {
        const cursor = `${epoch}-${k}`;
        this.#published.push(cursor);
        writer.publish(token(cursor));
        k += this.#random.integer(1, 2);
      }
      await wait(this.#random.integer(0, 8));
    }
    await owner.close();
  }

  async #read(log: LiveLog): Promise<void> {
    while (!this.#isOver) {
      const from = Math.max(0, this.#published.length - 20);
      const after = this.#published[from];
      const reader = await log.tail(key, after);
      // Without a cursor it reads from the first event.
      const next = after === undefined ? 0 : from + 1;
      await (reader === undefined ? wait(10) : this.#follow(reader, next));
    }
  }

  /** Reads until the reader is lost, or for a while. */
  async #follow(reader: LogReader, from: number): Promise<void> {
    let next = from;
    do {
      for (const { cursor } of reader.take(50)) next = this.#check(cursor, next);
    } while ((await woken(reader)) === 'more' && this.#random.integer(1, 300) > 1);
    reader.close();
  }

  #check(cursor: string, next: number): number {
    const wanted = this.#published[next];
    if (cursor !== wanted) this.seen.gaps.push(`${cursor} instead of ${wanted}`);
    this.seen.events += 1;
    return this.#published.indexOf(cursor, Math.max(0, next - 500)) + 1;
  }

  async #fail(): Promise<void> {
    const { admin, crash, start, signal } = this.#server;
    const faults = [
      () => admin.flushall(),
      () => admin.call('SCRIPT', 'FLUSH'),
      () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
      () => crash().then(() => wait(this.#random.integer(0, 300)).then(start)),
      () => {
        signal('SIGSTOP');
        return wait(this.#random.integer(10, 400)).then(() => signal('SIGCONT'));
      },
    ];
    while (!this.#isOver) {
      await wait(this.#random.integer(20, 300));
      await faults[this.#random.integer(0, faults.length - 1)]?.();
      this.seen.faults += 1;
    }
  }
}

describe.runIf(hasRedis)(
  'a run whose Redis is killed, frozen, flushed and cut off again and again',
  () => {
    it.each([['no'], ['yes']])(
      'shows its readers no gap that they are not told of (appendonly %s)',
      async (appendonly) => {
        const server = await privateRedis('--appendonly', appendonly);
        const campaign = new Campaign(11, server);
        await campaign.run();
        expect(campaign.seen.gaps).toEqual([]);
        expect(campaign.seen.events).toBeGreaterThanOrEqual(leastEvents);
        expect(campaign.seen.faults).toBeGreaterThan(campaignMs / 1_000);
      },
      campaignMs + 120_000,
    );
  },
);
