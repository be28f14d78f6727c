import type { RunEvent } from '@steward/core';
import {
  brokenPromises,
  evidenceOf,
  Outside,
  planned,
  type Reading,
  type Replica,
  type ReplicaPlan,
  startReplica,
} from '@steward/core/testing';
import { inject, vi } from 'vitest';
import { databases, type TestStores } from '../drivers.ts';
import type { SetUpSettings } from './set-up.ts';

export const hasPostgres = inject('postgresUrl') !== null;
const connectionString = inject('postgresUrl') ?? '';
const [server] = databases;
const setUp = new URL('./set-up.ts', import.meta.url).href;
const reader = { tenantId: 'default', userId: 'local' };

/** Replicas as processes over one schema of their own, the world they act on, and a client of each run. */
export class Fleet implements AsyncDisposable {
  readonly outside = new Outside();
  readonly stores: TestStores;
  readonly #replicas: Replica[] = [];
  readonly #readings: Reading[] = [];
  readonly #runIds = new Set<string>();

  private constructor(stores: TestStores) {
    this.stores = stores;
  }

  static async open(): Promise<Fleet> {
    if (server === undefined) throw new Error('no server');
    return new Fleet(await server.open());
  }

  /** A replica that works. */
  async start(
    settings: Partial<SetUpSettings> = {},
    execArgv: readonly string[] = [],
  ): Promise<Replica> {
    const replica = await startReplica({
      setUp,
      outside: this.outside,
      settings: { connectionString, schema: this.stores.schema, ...settings },
      execArgv: ['--conditions=@steward/source', '--no-warnings', ...execArgv],
    });
    this.#replicas.push(replica);
    await replica.begin();
    return replica;
  }

  /** Starts a run at a replica, with a client that reads it there. */
  async run(replica: Replica, plan: ReplicaPlan) {
    const runId = await replica.run(planned(plan));
    this.#runIds.add(runId);
    return { runId, ...this.read(replica, runId) };
  }

  /** A client that reads a run at a replica. */
  read(replica: Replica, runId: string) {
    const events: RunEvent[] = [];
    const ended = replica
      .read(runId, null, (event) => events.push(event))
      .then((isWhole) => {
        if (isWhole) this.#readings.push({ runId, reader, events });
      });
    const saw = (type: RunEvent['type']) =>
      until(() => events.some((event) => event.type === type));
    return { events, ended, saw };
  }

  /** The record of a run, once it has ended. */
  ended(runId: string) {
    return vi.waitFor(
      async () => {
        const run = await this.stores.runs.load(runId, null);
        if (!run?.end) throw new Error(`run ${runId} is ${run?.status}`);
        return run;
      },
      { timeout: 60_000, interval: 20 },
    );
  }

  /** What does not hold. */
  async broken() {
    const incidents = this.#replicas.flatMap(({ incidents }) => incidents);
    return brokenPromises({
      runs: await evidenceOf(this.stores, this.#runIds),
      accepted: [...this.#runIds],
      effects: this.outside.effects,
      readings: this.#readings,
      incidents,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.#replicas) await replica.kill('SIGKILL');
    await server?.close(this.stores);
  }
}

/** Waits for what another process brings about. */
export function until(holds: () => boolean | Promise<boolean>): Promise<true> {
  return vi.waitUntil(holds, { timeout: 60_000, interval: 10 });
}
