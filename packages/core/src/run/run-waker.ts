import type { RunEngine } from '../engine/run-engine.ts';
import { StewardError } from '../errors/steward-error.ts';
import type { Wake } from '../stores/run-store.ts';

/** Runs that are remembered while an engine is away; what is beyond, a sweep finds. */
const maxUntaken = 1_000;

/** Hands runs to the engine. Never throws: an engine that is away only delays them. */
export class RunWaker {
  readonly #engine: RunEngine;
  readonly #untaken = new Map<string, Wake>();

  constructor(engine: RunEngine) {
    this.#engine = engine;
  }

  async wake(wakes: readonly Wake[]): Promise<void> {
    for (const wake of wakes) {
      const failure = await this.#enqueue(wake);
      if (failure === undefined) continue;
      process.emitWarning(`Steward's engine did not take run ${wake.runId}: ${failure.message}`);
      if (this.#untaken.size < maxUntaken) this.#untaken.set(wake.runId, wake);
    }
  }

  /** Offers again what the engine did not take, sooner than a sweep would find it. */
  async retry(): Promise<void> {
    for (const wake of this.#untaken.values()) {
      if ((await this.#enqueue(wake)) !== undefined) return;
      this.#untaken.delete(wake.runId);
    }
  }

  async #enqueue(wake: Wake): Promise<StewardError | undefined> {
    try {
      await this.#engine.enqueue(wake);
      return undefined;
    } catch (reason) {
      return StewardError.from(reason, 'store_unavailable');
    }
  }
}
