// Strikes as the seed says, one thing at a time per server, and tells what it did.
import { setTimeout as wait } from 'node:timers/promises';
import type { SeededRandom } from '@steward/core/testing';
import { type Phase, phases } from './phases.ts';
import { postgresFaults } from './postgres-faults.ts';
import { redisFaults } from './redis-faults.ts';
import { replicaFaults } from './replica-faults.ts';
import type { Incident } from './story.ts';
import type { TakeoverWatch } from './takeover-watch.ts';
import type { Fault, Faults, Strike, Targets } from './targets.ts';

const faults: Faults = { ...replicaFaults, ...postgresFaults, ...redisFaults };

export class FaultDriver {
  readonly incidents: Incident[] = [];
  readonly counts: Record<string, number> = {};
  readonly killsIn: Record<Phase, number> = { model: 0, gate: 0, effect: 0, commit: 0 };
  struck = 0;
  kills = 0;
  readonly #strike: Strike;
  readonly #deck: readonly string[];
  readonly #under = new Set<Promise<void>>();
  /** The end of the last fault of each server: two at once would undo each other. */
  readonly #last = new Map<Fault['needs'], Promise<void>>();

  constructor(targets: Targets, random: SeededRandom, watch: TakeoverWatch) {
    this.#strike = {
      ...targets,
      random,
      note: (what) => this.incidents.push({ at: Date.now(), what }),
      onKill: (_replica, words) => {
        this.kills += 1;
        for (const phase of phases) if (words.phases[phase] > 0) this.killsIn[phase] += 1;
        watch.follow(words.runs);
      },
    };
    this.#deck = Object.entries(faults)
      .filter(([name]) => targets.clocks.canBeWrong || name !== 'clock set')
      .flatMap(([name, { weight }]) => Array.from({ length: weight }, () => name));
  }

  strike(): void {
    const name = this.#strike.random.pick(this.#deck);
    const fault = faults[name];
    if (!fault) return;
    this.struck += 1;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    const before = fault.needs === 'replica' ? undefined : this.#last.get(fault.needs);
    const work = Promise.resolve(before).then(() => fault.strike(this.#strike));
    this.#last.set(fault.needs, work);
    this.#under.add(work);
    void work.finally(() => this.#under.delete(work));
  }

  /** Waits until everything that was broken is whole again. */
  async over(): Promise<void> {
    while (this.#under.size > 0) {
      await Promise.all(this.#under);
      await wait(0);
    }
  }
}
