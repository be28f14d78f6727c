/**
 * Numbers that look random and are the same in every run of a test. Use one per test and print its `seed` on failure.
 */
export interface SeededRandom {
  /** What it was made from. */
  readonly seed: number;
  /** At least 0, below 1. */
  float(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean;
  /** An element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

/**
 * A generator of pseudo-random numbers (mulberry32) from a 32-bit seed. Use it for fault campaigns and random slices
 * that can be repeated; never for secrets. Throws a `TypeError` for a seed that is not a whole number.
 *
 * @example
 * ```ts
 * import { seededRandom } from '@steward/core/testing';
 *
 * const random = seededRandom(42);
 * const cutAfter = random.integer(0, 100);
 * console.log(`seed ${random.seed} cuts after ${cutAfter} bytes`);
 * ```
 */
export function seededRandom(seed: number): SeededRandom {
  if (!Number.isInteger(seed)) throw new TypeError(`seed must be a whole number, got ${seed}`);
  let state = seed >>> 0;
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number) => min + Math.floor(float() * (max - min + 1));
  return {
    seed,
    float,
    integer,
    chance: (probability) => float() < probability,
    pick(list) {
      if (list.length === 0) throw new TypeError('list must not be empty');
      return list[integer(0, list.length - 1)] as (typeof list)[number];
    },
  };
}
