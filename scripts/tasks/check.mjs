// npm run check [-- --only NAME ...]: every static check, one after another; fails when one fails.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../lib/child.mjs';
import { fail, members, pnpm, root, tool } from '../lib/workspace.mjs';

const node = process.execPath;
// Biome colours its output even where nobody sees colours.
const colors = process.stdout.isTTY ? '--colors=force' : '--colors=off';
/** @param {string} name */
const own = (name) => [node, `scripts/checks/${name}.mjs`];
/** @param {string[]} command */
const inEachPackage = (...command) =>
  members('packages').map((member) => [pnpm, '--dir', member, 'exec', ...command]);

// What runs in a browser has its own tsconfig, with the DOM.
const browserCode = members('examples')
  .map((member) => `${member}/public/tsconfig.json`)
  .filter((file) => existsSync(join(root, file)));

/** @type {Record<string, { what: string, commands: string[][] }>} */
const steps = {
  types: {
    what: 'TypeScript: sources, tests, examples, scripts',
    commands: [[tool('tsc')], ...browserCode.map((file) => [tool('tsc'), '-p', file])],
  },
  format: {
    what: 'Biome: format and common mistakes',
    commands: [[tool('biome'), 'ci', colors, '.']],
  },
  lint: { what: 'Oxlint: promises, any, cycles, size limits', commands: [[tool('oxlint')]] },
  disables: { what: 'a disabled rule gives its reason', commands: [own('disables')] },
  hosts: { what: 'no registry is named in the repository', commands: [own('hosts')] },
  scripts: { what: 'root scripts and tasks agree', commands: [own('scripts')] },
  imports: {
    what: 'import direction, cycles, undeclared dependencies',
    commands: [
      [tool('depcruise'), ...members('packages'), ...members('examples'), 'scripts/chaos'],
    ],
  },
  unused: { what: 'Knip: unused files, exports, dependencies', commands: [[tool('knip')]] },
  comments: {
    what: 'TypeDoc: every export is documented',
    commands: [[tool('typedoc'), '--emit', 'none']],
  },
  docs: {
    what: 'pages agree with the sources; samples compile and run',
    commands: [own('reference'), own('samples'), own('paths')],
  },
  changeset: { what: 'changes have a changeset', commands: [own('changeset')] },
  build: { what: 'packages build', commands: [[node, 'scripts/tasks/build.mjs']] },
  shape: {
    what: 'publint and are-the-types-wrong',
    commands: [
      ...inEachPackage('publint', '--strict'),
      ...inEachPackage('attw', '--pack', '.', '--profile', 'esm-only'),
    ],
  },
  size: { what: 'the size of own code', commands: [own('size')] },
  pack: { what: 'the packed core works in an empty project', commands: [own('pack')] },
};

const usage = `npm run check [-- --only NAME ...]   the checks, or some of them (shape, size and pack need build)
npm run check -- --fix               formats and repairs what can be repaired
npm run check -- --prove             plants violations in a copy: does every check bite?
`;
const names = Object.keys(steps);
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    fix: { type: 'boolean', default: false },
    prove: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.list) {
  console.log(usage);
  for (const name of names) console.log(`  ${name.padEnd(10)} ${steps[name]?.what}`);
  process.exit();
}
const other = values.fix
  ? [tool('biome'), 'check', '--write', colors, '.']
  : [node, 'scripts/checks/prove.mjs'];
if (values.fix || values.prove) {
  const [command = '', ...args] = other;
  process.exit((await run(command, args, { cwd: root })).code);
}
const unknown = values.only.find((name) => !names.includes(name));
if (unknown) fail(`There is no check ${unknown}; there are ${names.join(', ')}.`);

/** @type {{ name: string, ok: boolean, seconds: string }[]} */
const results = [];
for (const name of names.filter((step) => values.only.length === 0 || values.only.includes(step))) {
  const start = performance.now();
  console.log(`\n== ${name}: ${steps[name]?.what}`);
  let ok = true;
  for (const [command = '', ...args] of steps[name]?.commands ?? []) {
    const { code } = await run(command, args, { cwd: root });
    ok &&= code === 0;
  }
  results.push({ name, ok, seconds: ((performance.now() - start) / 1000).toFixed(1) });
}

console.log('\ncheck       result   seconds');
for (const { name, ok, seconds } of results) {
  console.log(`${name.padEnd(11)} ${ok ? 'ok    ' : 'FAILED'} ${seconds.padStart(9)}`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
