import type { RunEngine } from '../engine/run-engine.ts';
import type { Wake } from '../stores/run-store.ts';

/** Hands runs to the engine. Never throws: an engine that is away only delays them until a sweep finds them. */
export async function wakeRuns(engine: RunEngine, wakes: readonly Wake[]): Promise<void> {
  for (const wake of wakes) {
    try {
      await engine.enqueue(wake);
    } catch (reason) {
      process.emitWarning(`Steward's engine did not take run ${wake.runId}: ${String(reason)}`);
    }
  }
}
