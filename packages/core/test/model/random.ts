/** The same endless sequence of whole numbers from `least` to `most` for the same seed (mulberry32). */
export function* randomSizes(seed: number, least: number, most: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    yield least + Math.floor(fraction * (most - least + 1));
  }
}
