import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokenPromises } from '../../src/testing/oracle/broken-promises.ts';

const root = new URL('../../../../', import.meta.url).pathname;
const guide = readFileSync(`${root}docs/guides/reliability.md`, 'utf8');

/** The faults of the guide's table, each with the files that it names. */
const rows = [...guide.matchAll(/^\| (F\d+) [^|]+\|[^|]+\|([^|]+)\|$/gm)].map(
  ([, fault = '', files = '']) => ({
    fault,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  }),
);

/** The faults by whose number a test of the file begins. */
function faultsIn(file: string): string[] {
  const titles = readFileSync(`${root}${file}`, 'utf8').matchAll(/\bit(?:\.\w+)*\(\s*'(F\d+): /g);
  return [...new Set([...titles].map(([, fault = '']) => fault))];
}

describe('the guide to reliability', () => {
  it('has every fault of processes, databases and clocks', () => {
    const numbers = [...Array.from({ length: 21 }, (_, index) => index + 1), 35, 36];
    expect(rows.map(({ fault }) => fault)).toEqual(numbers.map((n) => `F${n}`));
  });

  it.each(rows)('$fault: its tests are where the guide says', ({ fault, files }) => {
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(faultsIn(file)).toContain(fault);
  });

  it('names every test of the stores that bears the number of a fault', () => {
    const listed = rows.flatMap(({ fault, files }) => files.map((file) => `${fault} ${file}`));
    const files = globSync('packages/store-*/test/**/*.test.ts', { cwd: root });
    const written = files.flatMap((file) => faultsIn(file).map((fault) => `${fault} ${file}`));
    expect(written.toSorted()).toEqual(listed.toSorted());
  });

  it('has the invariants of the oracle', () => {
    const known = Array.from({ length: 11 }, (_, index) => `I${index + 1}`);
    expect([...guide.matchAll(/^\| (I\d+) \|/gm)].map(([, name]) => name)).toEqual(known);
    const recoveries = [{ runId: 'run-1', ms: 15_001 }];
    expect(brokenPromises({ runs: [], recoveries })).toHaveLength(1);
  });
});
