import { seededRandom } from '@steward/core/testing';
import { Client, type Testimony } from './client.ts';
import { planOf } from './plan.ts';
import type { World } from './world.ts';

/** A run may have to wait for others of its conversation, each of which may need a minute and more. */
const giveUpMs = 300_000;

/** All clients: each comes once, with a plan of its own. */
export class Crowd {
  readonly testimonies: Testimony[] = [];
  readonly #options: { readonly seed: number; readonly clients: number };
  readonly #world: World;
  #started = 0;

  constructor(options: { readonly seed: number; readonly clients: number }, world: World) {
    this.#options = options;
    this.#world = world;
  }

  get done(): number {
    return this.testimonies.length;
  }

  /** So many more; `onDone` is told how many of these are done. */
  async live(count: number, onDone: (done: number) => void = () => {}): Promise<void> {
    const until = this.#started + count;
    const before = this.done;
    const comeAndGo = async () => {
      while (this.#started < until) {
        this.testimonies.push(await this.#next().live());
        onDone(this.done - before);
      }
    };
    await Promise.all(Array.from({ length: this.#options.clients }, comeAndGo));
  }

  #next(): Client {
    const { seed } = this.#options;
    const index = this.#started++;
    const random = seededRandom(seed * 1_000_003 + index);
    const plan = planOf(`t${index}`, random);
    const urls = () => this.#world.fleet.urls;
    return new Client({ plan, requestId: `${seed}-${index}`, random, giveUpMs, urls });
  }
}
