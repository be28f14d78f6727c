import { expect, it } from 'vitest';
import { AgingMap } from '../../src/stores/in-process/aging-map.ts';

it('gives up the oldest entry that is still there, also after it was empty', () => {
  const map = new AgingMap<string, number>();
  expect(map.shift()).toBeUndefined();
  map.set('a', 1).set('b', 2).set('c', 3);
  map.delete('a');
  expect(map.shift()).toEqual(['b', 2]);
  map.delete('c');
  map.set('c', 4).set('d', 5);
  expect(map.shift()).toEqual(['c', 4]);
  expect([...map]).toEqual([['d', 5]]);
  expect([map.shift(), map.shift()]).toEqual([['d', 5], undefined]);
  map.set('e', 6);
  expect(map.shift()).toEqual(['e', 6]);
});

it('goes on giving up the oldest over many rounds', () => {
  const map = new AgingMap<number, number>();
  const rounds = 200_000;
  for (let key = 0; key < rounds; key++) {
    map.set(key, key);
    if (map.size > 10_000) map.shift();
  }
  expect(map.size).toBe(10_000);
  expect(map.keys().next().value).toBe(rounds - 10_000);
});
