import { setTimeout as wait } from 'node:timers/promises';
import type { Lease } from '@steward/core';
import { type SeededRandom, seededRandom } from '@steward/core/testing';
import type { RedisServer } from '../../../../scripts/lib/redis-service.mjs';
import type { PostgresServer } from '../../../../scripts/lib/services.mjs';
import { Replica, type Seen } from './fleet.ts';
import type { ReplicaSettings } from './replica.ts';

/** What a measurement is made with. */
export interface MeasurementSettings {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly lease: Lease;
  readonly replicas: number;
  /** Runs of each replica that is lost. */
  readonly runs: number;
  readonly rounds: number;
  readonly seed: number;
}

const tokenMs = 100;
/** As the guide says: within two seconds everything is elsewhere. */
const drainMs = 1_000;

/**
 * Replicas as processes. The first of them is what a client is connected to: it watches all runs and is never lost, so
 * what is measured is what the client sees.
 */
export class Measurement {
  readonly #settings: MeasurementSettings;
  readonly #random: SeededRandom;
  readonly #replicas: Replica[] = [];

  constructor(settings: MeasurementSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
  }

  async of(what: string): Promise<object> {
    await this.#open();
    switch (what) {
      case 'kill':
        return this.#rounds(() => this.#lose('SIGKILL'));
      case 'term':
        return this.#rounds(() => this.#lose('SIGTERM'));
      case 'postgres':
        return this.#postgres();
      case 'redis':
        return this.#redis();
      default:
        throw new TypeError(`--what is kill, term, postgres or redis, not ${what}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.end('SIGKILL')));
  }

  async #open(): Promise<void> {
    // The first one migrates.
    this.#replicas.push(await Replica.open(this.#replica));
    const others = Array.from({ length: this.#settings.replicas - 1 }, () =>
      Replica.open(this.#replica),
    );
    this.#replicas.push(...(await Promise.all(others)));
  }

  get #replica(): ReplicaSettings {
    const { postgres, redis, lease } = this.#settings;
    return { postgresUrl: postgres.url, redisUrl: redis.url, lease, drainMs, tokenMs };
  }

  get #observer(): Replica {
    const [observer] = this.#replicas;
    if (observer === undefined) throw new Error('no replica');
    return observer;
  }

  async #rounds(round: () => Promise<readonly number[]>): Promise<object> {
    const all: number[] = [];
    for (let count = 0; count < this.#settings.rounds; count++) all.push(...(await round()));
    return figures(all);
  }

  /** One replica goes: milliseconds until the client sees each of its runs go on. */
  async #lose(signal: 'SIGKILL' | 'SIGTERM'): Promise<readonly number[]> {
    const index = this.#random.integer(1, this.#replicas.length - 1);
    const replica = this.#replicas[index];
    if (replica === undefined) return [];
    const runIds = await this.#stream(replica);
    const { beatMs } = this.#settings.lease;
    // Any moment of a beat.
    await wait(beatMs + this.#random.integer(0, beatMs));
    const at = Date.now();
    const waits = this.#untilTakenOver(runIds, at);
    await replica.end(signal);
    const seen = await waits;
    this.#observer.tell({ do: 'cancel', runIds });
    this.#replicas[index] = await Replica.open(this.#replica);
    return seen;
  }

  /** Runs that the observer sees streaming. */
  async #stream(replica: Replica): Promise<readonly string[]> {
    const runIds = await replica.start(this.#settings.runs);
    this.#observer.tell({ do: 'watch', runIds });
    await Promise.all(
      runIds.map((runId) => this.#observer.untilEvent(runId, ({ type }) => type === 'token')),
    );
    return runIds;
  }

  /** Milliseconds from `at` until the client sees the first word of another owner, of each run. */
  #untilTakenOver(runIds: readonly string[], at: number): Promise<number[]> {
    const from = this.#observer.reports.length;
    return Promise.all(
      runIds.map(async (runId) => {
        const before = this.#observer.epochOf(runId);
        const isNext = ({ epoch, type }: Seen) => epoch > before && type === 'token';
        return (await this.#observer.untilEvent(runId, isNext, from)).at - at;
      }),
    );
  }

  /** Postgres is away for longer than a lease: every owner stops by itself, and all goes on when it is back. */
  async #postgres(): Promise<object> {
    const { postgres, rounds, lease } = this.#settings;
    const [stops, returns, starts]: number[][] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      const runIds = (
        await Promise.all(this.#replicas.map((replica) => this.#stream(replica)))
      ).flat();
      await wait(this.#random.integer(0, lease.beatMs));
      const places = this.#replicas.map(({ reports }) => reports.length);
      const crashed = Date.now();
      await postgres.crash();
      await wait(lease.ttlMs + this.#random.integer(1_000, 5_000));
      for (const [index, replica] of this.#replicas.entries()) {
        const said = replica.reports.slice(places[index]);
        const silenced = said.filter(({ says }) => says === 'silenced');
        stops?.push(...silenced.map(({ at }) => at - crashed));
      }
      await postgres.start();
      returns?.push(...(await this.#untilTakenOver(runIds, Date.now())));
      const began = performance.now();
      await this.#stream(this.#replicas[1] ?? this.#observer);
      starts?.push(performance.now() - began);
      this.#observer.tell({ do: 'cancel', runIds });
    }
    return {
      ownersStopped: figures(stops ?? []),
      runsGoOn: figures(returns ?? []),
      newRun: figures(starts ?? []),
    };
  }

  /** Redis is away and comes back: milliseconds until the client sees the next words, and until the queue works. */
  async #redis(): Promise<object> {
    const { redis, rounds } = this.#settings;
    const [streams, decisions]: number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const [, replica = this.#observer] = this.#replicas;
      const runIds = await this.#stream(replica);
      const asked = await replica.start(1, 'ask');
      this.#observer.tell({ do: 'watch', runIds: asked });
      await redis.crash();
      await wait(this.#random.integer(2_000, 6_000));
      const from = this.#observer.reports.length;
      await redis.start();
      const returned = Date.now();
      const isWord = ({ type }: { readonly type: string }) => type === 'token';
      const seen = runIds.map((runId) => this.#observer.untilEvent(runId, isWord, from));
      streams?.push(...(await Promise.all(seen)).map(({ at }) => at - returned));
      for (const runId of asked) {
        const approved = Date.now();
        replica.tell({ do: 'approve', runId });
        const end = await this.#observer.untilEvent(runId, ({ type }) => type === 'complete', from);
        decisions?.push(end.at - approved);
      }
      this.#observer.tell({ do: 'cancel', runIds });
    }
    return { streamsGoOn: figures(streams ?? []), decisionToEnd: figures(decisions ?? []) };
  }
}

/** Milliseconds, rounded. */
function figures(samples: readonly number[]) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}
