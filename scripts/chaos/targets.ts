import type { FaultProxy, SeededRandom } from '@steward/core/testing';
import type { RedisServer } from '../lib/redis-service.mjs';
import type { PostgresServer } from '../lib/services.mjs';
import type { Clocks } from './clocks.ts';
import type { Fleet, Replica } from './fleet.ts';
import type { LastWords } from './phases.ts';

/** Everything that can be broken. Replicas reach the servers through the proxies. */
export interface Targets {
  readonly fleet: Fleet;
  readonly clocks: Clocks;
  readonly postgres: PostgresServer;
  readonly postgresProxy: FaultProxy;
  readonly redis: RedisServer;
  readonly redisProxy: FaultProxy;
}

/** What a fault works with. */
export interface Strike extends Targets {
  readonly random: SeededRandom;
  /** Writes down what is done, for the story of a run. */
  readonly note: (what: string) => void;
  /** Takes note of a death: whose, and what it was doing. */
  readonly onKill: (replica: Replica, words: LastWords) => void;
}

/** A kind of fault: how often it comes, what it needs for itself alone, and what it does. */
export interface Fault {
  readonly weight: number;
  readonly needs: 'replica' | 'postgres' | 'redis';
  readonly strike: (strike: Strike) => Promise<void>;
}

export type Faults = Readonly<Record<string, Fault>>;
