// How long the runs of a killed replica stay without an owner.
import { setTimeout as wait } from 'node:timers/promises';
import { withSchema } from './database.ts';

const everyMs = 100;
const withinMs = 90_000;

interface Head {
  readonly run_id: string;
  readonly epoch: number;
}

export class TakeoverWatch {
  /** Seconds from the death of an owner to the next one. */
  readonly seconds: number[] = [];
  readonly #postgresUrl: string;
  readonly #under = new Set<Promise<void>>();

  constructor(postgresUrl: string) {
    this.#postgresUrl = postgresUrl;
  }

  /** The owner of these runs has just died. */
  follow(runIds: readonly string[]): void {
    if (runIds.length === 0) return;
    const work = this.#follow(runIds);
    this.#under.add(work);
    void work.finally(() => this.#under.delete(work));
  }

  async over(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  async #follow(runIds: readonly string[]): Promise<void> {
    const began = performance.now();
    let orphans: readonly Head[] | undefined;
    while (performance.now() - began < withinMs) {
      const owned = await this.#owned(runIds);
      if (owned && orphans) {
        const left = new Set(owned.map(keyOf));
        const taken = orphans.filter((head) => !left.has(keyOf(head)));
        this.seconds.push(...taken.map(() => (performance.now() - began) / 1_000));
        orphans = orphans.filter((head) => left.has(keyOf(head)));
      }
      orphans ??= owned;
      if (orphans?.length === 0) return;
      await wait(everyMs);
    }
  }

  /** The runs that have an owner, dead or alive; `undefined` while nobody can be asked. */
  async #owned(runIds: readonly string[]): Promise<readonly Head[] | undefined> {
    const statement = `select run_id, epoch from run where run_id = any($1) and status in ('running', 'cancelling')`;
    const asking = withSchema(this.#postgresUrl, (client) =>
      client.query<Head>(statement, [runIds]),
    );
    return asking.then(({ rows }) => rows).catch(() => undefined);
  }
}

function keyOf({ run_id, epoch }: Head): string {
  return `${run_id} ${epoch}`;
}
