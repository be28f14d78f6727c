// Clocks of replicas, wrong by libfaketime; timers and leases measure with the monotonic clock, which stays.
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SeededRandom } from '@steward/core/testing';
import { installPackage } from '../lib/services.mjs';

const offsets = ['+0', '+10m', '-10m', '+1h', '-1h'];

function findLibrary(): string | undefined {
  return globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];
}

export class Clocks {
  readonly #folder: string;
  readonly #library: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    if (!findLibrary()) installPackage('libfaketime');
    this.#library = findLibrary();
    if (this.#library) return;
    const line = 'There is no libfaketime here: the clocks of replicas stay right.';
    if (process.env['STEWARD_REQUIRE']) throw new Error(line);
    console.error(line);
  }

  get canBeWrong(): boolean {
    return this.#library !== undefined;
  }

  /** The environment of a replica whose clock can be set while it runs. */
  environment(name: string): NodeJS.ProcessEnv {
    if (!this.#library) return {};
    writeFileSync(this.#file(name), '+0');
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file(name),
      FAKETIME_CACHE_DURATION: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock of a replica anew; returns how far it is off now. */
  set(name: string, random: SeededRandom): string {
    const offset = random.pick(offsets);
    if (existsSync(this.#file(name))) writeFileSync(this.#file(name), offset);
    return offset;
  }

  #file(name: string): string {
    return join(this.#folder, `${name}.clock`);
  }
}
