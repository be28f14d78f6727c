// The replicas: each has a name and a place; who dies is replaced.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SeededRandom } from '@steward/core/testing';
import { type Child, type Exit, startChild } from './child.ts';
import { type LastWords, readLastWords } from './phases.ts';
import type { ReplicaSettings } from './replica-settings.ts';
import type { Measurement } from './reporting.ts';

/** A process in a place of the fleet. */
export interface Replica {
  readonly name: string;
  readonly child: Child;
  /** `up` once it listens; `leaving` when it was told to end or to die. */
  state: 'starting' | 'up' | 'frozen' | 'leaving' | 'gone';
}

export interface FleetOptions {
  readonly replicas: number;
  readonly folder: string;
  readonly settings: Omit<ReplicaSettings, 'name' | 'boardFile'>;
  /** The environment of a replica by its name. */
  readonly environment: (name: string) => NodeJS.ProcessEnv;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #replicas: Replica[] = [];
  readonly #urls: string[] = [];
  /** Ends that nobody asked for, and ends that did not come. */
  readonly faults: string[] = [];
  #started = 0;
  #isOver = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const places = Array.from({ length: this.#options.replicas }, (_, place) => place);
    await Promise.all(places.map((place) => this.#fill(place)));
  }

  /** Where replicas listen, or did: whoever asks one that is gone has to ask another. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  get up(): Replica[] {
    return this.#replicas.filter(({ state }) => state === 'up');
  }

  /** Takes one that is up, as soon as there is one, into another state. */
  async pick(random: SeededRandom, state: Replica['state']): Promise<Replica> {
    while (this.up.length === 0) await wait(50);
    const replica = random.pick(this.up);
    replica.state = state;
    return replica;
  }

  /** Waits for the end of a replica that was told to end; returns what it was doing. */
  async bury(replica: Replica, withinMs: number): Promise<LastWords | undefined> {
    const exit = await Promise.race([
      replica.child.exit,
      wait(withinMs, undefined, { ref: false }),
    ]);
    if (!exit) {
      replica.child.signal('SIGKILL');
      await replica.child.exit;
    }
    return readLastWords(readFileSync(this.#boardFile(replica.name), 'utf8'));
  }

  /** Waits until everybody is up. */
  async whole(): Promise<void> {
    while (this.up.length < this.#options.replicas) await wait(50);
  }

  async measure(): Promise<ReadonlyMap<string, Measurement>> {
    const measured = await Promise.all(
      this.up.map(async ({ name, child }) => {
        child.send({ kind: 'measure' });
        return [name, (await child.next('measured'))?.measurement] as const;
      }),
    );
    return new Map(measured.flatMap(([name, value]) => (value ? [[name, value]] : [])));
  }

  /** Ends all in good order. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(
      this.#replicas.map(async (replica) => {
        if (replica.state === 'gone') return;
        const wasUp = replica.state === 'up';
        replica.state = 'leaving';
        replica.child.signal(wasUp ? 'SIGTERM' : 'SIGKILL');
        await this.checkLeaving(replica, wasUp);
      }),
    );
  }

  /** One that was asked to leave must do so by itself, soon and in good order. */
  async checkLeaving(replica: Replica, wasAsked: boolean): Promise<void> {
    const began = performance.now();
    await this.bury(replica, leaveWithinMs);
    const { code, signal, said } = await replica.child.exit;
    if (!wasAsked || code === 0) return;
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    this.faults.push(
      `${replica.name} was asked to leave and ended with ${code ?? signal} after ${seconds} s: ${said}`,
    );
  }

  #boardFile(name: string): string {
    return join(this.#options.folder, `${name}.board`);
  }

  async #fill(place: number): Promise<void> {
    const { settings, environment } = this.#options;
    const name = `r${place + 1}.${++this.#started}`;
    const full: ReplicaSettings = { ...settings, name, boardFile: this.#boardFile(name) };
    const child = startChild('replica', [JSON.stringify(full)], environment(name));
    const replica: Replica = { name, child, state: 'starting' };
    this.#replicas[place] = replica;
    void child.exit.then((exit) => this.#ended(place, replica, exit));
    const url = await child.url.catch(() => undefined);
    if (url === undefined) return;
    this.#urls[place] = url;
    if (replica.state === 'starting') replica.state = 'up';
  }

  async #ended(place: number, replica: Replica, { code, signal, said }: Exit): Promise<void> {
    if (replica.state !== 'leaving') {
      this.faults.push(`${replica.name} ended by itself with ${code ?? signal}: ${said}`);
    }
    replica.state = 'gone';
    await wait(respawnMs);
    if (!this.#isOver) await this.#fill(place);
  }
}

const leaveWithinMs = 15_000;
const respawnMs = 200;
