import type { RunHead, RunStore } from '../stores/run-store.ts';

/** Runs that one question is about at most. */
const maxRuns = 500;

interface Question {
  readonly runIds: Set<string>;
  readonly heads: Promise<ReadonlyMap<string, RunHead>>;
}

/** The heads of runs: one question to the store for all who ask in the same go, as those whom a pulse wakes do. */
export class RunHeads {
  readonly #runs: RunStore;
  #question: Question | undefined;

  constructor(runs: RunStore) {
    this.#runs = runs;
  }

  /** The head of a run; `undefined` when there is none. */
  async of(runId: string): Promise<RunHead | undefined> {
    this.#question ??= this.#prepare();
    const { runIds, heads } = this.#question;
    runIds.add(runId);
    if (runIds.size === maxRuns) this.#question = undefined;
    return (await heads).get(runId);
  }

  #prepare(): Question {
    const runIds = new Set<string>();
    const heads = Promise.resolve().then(async () => {
      if (this.#question?.runIds === runIds) this.#question = undefined;
      const found = await this.#runs.heads([...runIds]);
      return new Map(found.map((head) => [head.runId, head]));
    });
    return { runIds, heads };
  }
}
