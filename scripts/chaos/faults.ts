// What is done to the system, one thing at a time or several at once, as the seed says.
import { setTimeout as wait } from 'node:timers/promises';
import type { SeededRandom } from '@steward/core/testing';
import type { Fleet, Replica } from './fleet.ts';
import { type LastWords, type Phase, phases } from './phases.ts';
import type { Incident } from './story.ts';

/** What a fault may touch. */
export interface Target {
  readonly fleet: Fleet;
  readonly random: SeededRandom;
  readonly note: (what: string) => void;
  /** Called with what a replica was doing when it was killed. */
  readonly onKill: (words: LastWords) => void;
}

type Fault = (target: Target) => Promise<void>;

async function killIn(target: Target, phase: Phase): Promise<void> {
  const { fleet, random, note } = target;
  const replica = someReplica(target);
  if (!replica) return;
  const afterMs =
    phase === 'gate' || phase === 'commit' ? random.pick([0, 0, 1, 2]) : random.integer(0, 40);
  replica.state = 'leaving';
  note(`${replica.name} dies ${afterMs} ms into ${phase}`);
  replica.child.send({ kind: 'die', phase, afterMs });
  await killed(target, replica, await fleet.bury(replica, 3_000));
}

async function killed({ onKill }: Target, replica: Replica, words: LastWords | undefined) {
  const { signal } = await replica.child.exit;
  if (words && signal === 'SIGKILL') onKill(words);
}

function someReplica({ fleet, random }: Target): Replica | undefined {
  return fleet.up.length > 0 ? random.pick(fleet.up) : undefined;
}

/** By name, with how often each comes. */
export const faults: Readonly<Record<string, { readonly weight: number; readonly strike: Fault }>> =
  {
    ...Object.fromEntries(
      phases.map((phase) => [
        `kill in ${phase}`,
        { weight: 10, strike: (target: Target) => killIn(target, phase) },
      ]),
    ),
    'kill at any moment': {
      weight: 10,
      strike: async (target) => {
        const replica = someReplica(target);
        if (!replica) return;
        replica.state = 'leaving';
        target.note(`${replica.name} is killed`);
        replica.child.signal('SIGKILL');
        await killed(target, replica, await target.fleet.bury(replica, 3_000));
      },
    },
  };

/** Strikes whenever it is told to, and tells what it did. */
export class FaultDriver {
  readonly incidents: Incident[] = [];
  readonly counts: Record<string, number> = {};
  readonly killsIn: Record<Phase, number> = { model: 0, gate: 0, effect: 0, commit: 0 };
  readonly #target: Target;
  readonly #under = new Set<Promise<void>>();

  constructor(fleet: Fleet, random: SeededRandom) {
    this.#target = {
      fleet,
      random,
      note: (what) => this.incidents.push({ at: Date.now(), what }),
      onKill: (words) => {
        for (const phase of phases) if (words.phases[phase] > 0) this.killsIn[phase] += 1;
      },
    };
  }

  strike(): void {
    const all = Object.entries(faults);
    const names = all.flatMap(([name, { weight }]) => Array.from({ length: weight }, () => name));
    const name = this.#target.random.pick(names);
    const fault = faults[name];
    if (!fault) return;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    const work = fault.strike(this.#target).finally(() => this.#under.delete(work));
    this.#under.add(work);
  }

  /** Waits until everything that was broken is whole again. */
  async over(): Promise<void> {
    while (this.#under.size > 0) await Promise.race([Promise.all(this.#under), wait(100)]);
  }
}
