// The violations that prove.mjs plants: for each check, what it must say.

/**
 * @typedef {object} Plant
 * @property {string} check  the checks to run, separated by spaces
 * @property {string[]} expect  words that must be in the output
 * @property {Record<string, string>} [files]  files to write
 * @property {Record<string, (text: string) => string>} [edits]  files to change
 * @property {boolean} [commit]  commit it to a branch
 */

const core = 'packages/core';
const src = `${core}/src`;
/** @param {number} count @param {(index: number) => string} line */
const lines = (count, line) =>
  `${Array.from({ length: count }, (_, index) => line(index)).join('\n')}\n`;
/** @param {string} text */
const brokenExport = (text) => text.replaceAll('./dist/testing/index.js', './dist/planted.js');
const kept = { [`${src}/internal/kept.ts`]: 'export const kept = 1;\n' };

/** @param {(json: Record<string, Record<string, unknown>>) => void} edit */
const json = (edit) => (/** @type {string} */ text) => {
  const value = JSON.parse(text);
  edit(value);
  return `${JSON.stringify(value, null, 2)}\n`;
};
/** @param {string} more */
const append = (more) => (/** @type {string} */ text) => `${text}\n${more}\n`;

const badCode = `
export async function floats(): Promise<void> {}
export function caller(list: number[]): void {
  floats();
  list.forEach(async () => floats());
}
export function five(a: number, b: number, c: number, d: number, e: number): number {
  return a + b + c + d + e;
}
export function deep(a: boolean): void {
  if (a) { for (;;) { if (a) { while (a) { floats().catch(() => {}); } } } }
}
export const loose = (x: any): void => x;
export function twisted(a: number): number {
${lines(11, (index) => `  if (a === ${index}) return ${index};`)}
  return a;
}
export function long(): void {
${lines(61, () => '  floats().catch(() => {});')}
}
// oxlint-disable-next-line
export const unused = 1;
`;

/** @type {Plant[]} */
export const plants = [
  {
    check: 'types',
    files: {
      [`${src}/internal/planted.ts`]: "export const planted: number = 'text';\n",
      [`${core}/test/planted.test.ts`]: "export const planted: number = 'text';\n",
      'scripts/planted.mjs': "/** @type {number} */\nexport const planted = 'text';\n",
    },
    expect: [
      `${src}/internal/planted.ts(1,`,
      `${core}/test/planted.test.ts(1,`,
      'scripts/planted.mjs(2,',
    ],
  },
  {
    check: 'format',
    files: { [`${src}/internal/planted.ts`]: 'export const a   = "a"\n' },
    expect: ['internal/planted.ts format'],
  },
  {
    check: 'lint',
    files: {
      [`${src}/internal/planted.ts`]: badCode,
      [`${src}/internal/planted-long.ts`]: lines(301, (index) => `export const a${index} = 1;`),
      [`${core}/test/planted.test.ts`]: lines(501, (index) => `export const a${index} = 1;`),
      [`${src}/internal/planted-a.ts`]:
        "export { b } from './planted-b.ts';\nexport const a = 1;\n",
      [`${src}/internal/planted-b.ts`]:
        "export { a } from './planted-a.ts';\nexport const b = 1;\n",
    },
    expect: [
      'no-floating-promises',
      'no-misused-promises',
      'max-params',
      'max-depth',
      'no-explicit-any',
      'complexity',
      'max-lines-per-function',
      'no-abusive-eslint-disable',
      'planted-long.ts:',
      'planted.test.ts:',
      'no-cycle',
    ],
  },
  {
    check: 'disables',
    files: {
      [`${src}/internal/planted.ts`]: [
        '// oxlint-disable-next-line complexity',
        '// biome-ignore lint/suspicious/noExplicitAny: x',
        '// @ts-expect-error',
        '// @ts-ignore because of something else',
        '/* eslint-disable -- everything is fine here */',
        '// oxlint-disable-next-line complexity -- a table of cases reads best in one place',
        '',
      ].join('\n'),
    },
    expect: [
      'planted.ts:1:',
      'planted.ts:2:',
      'planted.ts:3:',
      'planted.ts:4:',
      'planted.ts:5:',
      '5 found',
    ],
  },
  {
    check: 'hosts',
    files: {
      'docs/planted.md': `https://${['registry', 'npmjs', 'org'].join('.')}/x\n`,
      '.npmrc': 'a=b\n',
    },
    expect: ['docs/planted.md:1: names', '.npmrc: settings'],
  },
  {
    check: 'scripts',
    files: { 'scripts/tasks/planted.mjs': '' },
    edits: { 'package.json': json(({ scripts = {} }) => Object.assign(scripts, { extra: 'ls' })) },
    expect: ['script planted should be', 'scripts/tasks/extra.mjs is missing'],
  },
  {
    check: 'imports',
    files: {
      ...kept,
      [`${src}/internal/up.ts`]: "export { low } from '../run/planted.ts';\n",
      [`${src}/tools/up.ts`]: "export { low } from '../policies/planted.ts';\n",
      [`${src}/policies/planted.ts`]: 'export const low = 1;\n',
      [`${src}/run/planted.ts`]:
        "export { kept as low } from '../internal/kept.ts';\nexport * from '../planted/odd.ts';\n",
      [`${src}/run/kit.ts`]: "export * from '../testing/planted.ts';\n",
      [`${src}/testing/planted.ts`]: 'export const kit = 1;\n',
      [`${src}/planted/odd.ts`]: 'export const odd = 1;\n',
      [`${src}/run/round-a.ts`]: "export type { B } from './round-b.ts';\nexport type A = 1;\n",
      [`${src}/run/round-b.ts`]: "export type { A } from './round-a.ts';\nexport type B = 1;\n",
      [`${src}/run/packages.ts`]:
        "export * from 'vite';\nexport * from 'msw';\nexport * from './none.ts';\n",
    },
    expect: [
      'core-direction-internal-errors',
      'core-direction-model-tools',
      'core-unknown-folder',
      'testing-only-in-tests',
      'no-circular',
      'undeclared-dependency',
      'dev-dependency-in-source',
      'not-to-unresolvable',
    ],
  },
  {
    check: 'unused',
    files: {
      ...kept,
      [`${src}/internal/planted.ts`]: 'export const used = 1;\nexport const spare = 1;\n',
    },
    edits: {
      [`${src}/index.ts`]: append("export { used } from './internal/planted.ts';"),
      [`${core}/package.json`]: json(({ dependencies = {} }) =>
        Object.assign(dependencies, { planted: '1' }),
      ),
    },
    expect: ['internal/kept.ts', 'spare', 'planted '],
  },
  {
    check: 'comments',
    edits: { [`${src}/index.ts`]: append('export const planted = 1;') },
    expect: ['planted (Variable)', 'does not have any documentation'],
  },
  {
    check: 'changeset',
    edits: {
      [`${core}/README.md`]: append('more'),
    },
    commit: true,
    expect: ['no changesets were found'],
  },
  {
    check: 'build',
    edits: { [`${src}/index.ts`]: append("export * from './planted.ts';") },
    expect: ['planted.ts'],
  },
  {
    check: 'build shape size pack',
    edits: {
      [`${src}/index.ts`]: append(`export const planted = '${'x'.repeat(61_000)}';`),
      [`${core}/package.json`]: brokenExport,
      [`${core}/README.md`]: (text) =>
        text.replace("from '@steward/core'", "from '@steward/core/none'"),
    },
    expect: ['planted.js', 'of at most 60 kB', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'TS2307'],
  },
];
