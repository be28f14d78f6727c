// npm run build [-- packages/core ...]: dist/ of every package, or of those named.
import { run } from '../lib/child.mjs';
import { fail, members, pnpm, root } from '../lib/workspace.mjs';

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(
    'npm run build [-- packages/core ...]\n\nBuilds dist/ of every package, or of those named.',
  );
  process.exit();
}
const unknown = args.find((name) => !members('packages').includes(name));
if (unknown) fail(`There is no package ${unknown}; there are ${members('packages').join(', ')}.`);
const filters = (args.length > 0 ? args : ['packages/*']).map((name) => `--filter=./${name}`);
const { code } = await run(pnpm, ['--recursive', ...filters, 'run', 'build'], { cwd: root });
process.exitCode = code;
