// Where in its runs a replica is: written down for the driver at every step, and used to die inside of one.
import { openSync, writeSync } from 'node:fs';
import type { Fence, ModelClient, ModelEvent, NewRun, RunStore } from '@steward/core';

/** `model`: an answer is streaming. `gate`: a call is being let through. `effect`: a tool works. `commit`: a turn, a result or an end is being stored. */
export const phases = ['model', 'gate', 'effect', 'commit'] as const;
export type Phase = (typeof phases)[number];

/** What a dead replica leaves behind. */
export interface LastWords {
  readonly phases: Readonly<Record<Phase, number>>;
  /** The runs that it owned. */
  readonly runs: readonly string[];
}

const phaseOfVerb: Readonly<Partial<Record<keyof RunStore, Phase>>> = {
  startCall: 'gate',
  commitTurn: 'commit',
  finishCall: 'commit',
  finish: 'commit',
};

/** The file is one line: what follows its end is left from longer ones. */
export function readLastWords(text: string): LastWords | undefined {
  const [line] = text.split('\n');
  return line ? (JSON.parse(line) as LastWords) : undefined;
}

/** The phases of all runs of this process. */
export class PhaseBoard {
  readonly #file: number;
  readonly #counts: Record<Phase, number> = { model: 0, gate: 0, effect: 0, commit: 0 };
  readonly #runs = new Set<string>();
  #armed: { readonly phase: Phase; readonly afterMs: number } | undefined;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
    this.#write();
  }

  /** Dies so long after the phase is entered next. */
  arm(phase: Phase, afterMs: number): void {
    this.#armed = { phase, afterMs };
  }

  async during<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.#change(phase, 1);
    try {
      return await work();
    } finally {
      this.#change(phase, -1);
    }
  }

  /** The run store, watched. */
  watchRuns(store: RunStore): RunStore {
    return new Proxy(store, {
      get: (target, name) => {
        const verb = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) =>
          this.#watched(name as keyof RunStore, args, () => verb.apply(target, args));
      },
    });
  }

  /** The model, watched from its first word on. */
  watchModel(model: ModelClient): ModelClient {
    const change = (by: 1 | -1) => this.#change('model', by);
    return {
      async *stream(request, options): AsyncIterable<ModelEvent> {
        let isStreaming = false;
        try {
          for await (const event of model.stream(request, options)) {
            if (event.type === 'text' && !isStreaming) {
              isStreaming = true;
              change(1);
            }
            yield event;
          }
        } finally {
          if (isStreaming) change(-1);
        }
      },
    };
  }

  async #watched(name: keyof RunStore, args: unknown[], verb: () => Promise<unknown>) {
    const phase = phaseOfVerb[name];
    const answer = await (phase ? this.during(phase, verb) : verb());
    this.#noteOwnership(name, args[0], answer);
    return answer;
  }

  #noteOwnership(name: keyof RunStore, asked: unknown, answer: unknown): void {
    if (answer === null) return; // Nothing to claim.
    if (name === 'claim') this.#runs.add(String(asked));
    else if (name === 'create' && isKind(answer, 'claimed'))
      this.#runs.add((asked as NewRun).runId);
    else if (name === 'finish' || name === 'release' || answer === 'paused') {
      this.#runs.delete((asked as Fence).runId);
    } else return;
    this.#write();
  }

  #change(phase: Phase, by: 1 | -1): void {
    this.#counts[phase] += by;
    this.#write();
    if (by > 0 && this.#armed?.phase === phase) this.#die(this.#armed.afterMs);
  }

  #die(afterMs: number): void {
    this.#armed = undefined;
    const kill = () => process.kill(process.pid, 'SIGKILL');
    if (afterMs === 0) kill();
    else setTimeout(kill, afterMs);
  }

  #write(): void {
    const words: LastWords = { phases: this.#counts, runs: [...this.#runs] };
    writeSync(this.#file, `${JSON.stringify(words)}\n`, 0);
  }
}

function isKind(answer: unknown, kind: string): boolean {
  return (answer as { kind?: string }).kind === kind;
}
