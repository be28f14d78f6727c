// npm run examples [-- quickstart ...]: runs every example that has an `example` script; each asserts.
import { join } from 'node:path';
import { run } from '../lib/child.mjs';
import { fail, manifest, members, pnpm, root } from '../lib/workspace.mjs';

const args = process.argv.slice(2);
const all = members('examples').filter((member) => manifest(member).scripts?.['example']);
const names = all.map((member) => member.slice('examples/'.length));
if (args.includes('--help')) {
  console.log(`npm run examples [-- NAME ...]\n\nRuns the examples: ${names.join(', ')}.`);
  process.exit();
}
if (names.length === 0) fail('There is no example: none has an `example` script.');
const unknown = args.find((name) => !names.includes(name));
if (unknown) fail(`There is no example ${unknown}; there are ${names.join(', ')}.`);

const failed = [];
for (const name of names.filter((candidate) => args.length === 0 || args.includes(candidate))) {
  console.log(`\n== examples/${name}`);
  const start = performance.now();
  const { code } = await run(pnpm, ['run', 'example'], { cwd: join(root, 'examples', name) });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(code === 0 ? `ok (${seconds} s)` : `FAILED with ${code} (${seconds} s)`);
  if (code !== 0) failed.push(name);
}
console.log(failed.length === 0 ? '\nAll examples passed.' : `\nFailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
