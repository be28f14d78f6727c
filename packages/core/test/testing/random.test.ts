import { expect, test } from 'vitest';
import { seededRandom } from '../../src/testing/random.ts';

test('gives the same numbers for the same seed, others for another', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, () => random.float());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('integers reach both ends and are spread evenly', () => {
  const random = seededRandom(1);
  const counts = new Map<number, number>();
  for (let i = 0; i < 6_000; i++) {
    const face = random.integer(1, 6);
    counts.set(face, (counts.get(face) ?? 0) + 1);
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
});

test('chance and pick follow the seed', () => {
  const random = seededRandom(3);
  const heads = Array.from({ length: 1_000 }, () => random.chance(0.25)).filter(Boolean).length;
  expect(Math.abs(heads - 250)).toBeLessThan(60);
  expect(['a', 'b']).toContain(random.pick(['a', 'b']));
  expect(() => random.pick([])).toThrow(TypeError);
});

test('refuses a seed that is no whole number', () => {
  expect(() => seededRandom(0.5)).toThrow('seed must be a whole number');
});
