// node scripts/run.mjs TASK [arguments]: every root script. Needs Node >= 20, npm and git, nothing else.
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run } from './lib/child.mjs';
import { cleanEnvironment, installPnpm, setUp } from './lib/setup.mjs';
import { fail, pnpm, root } from './lib/workspace.mjs';

const [task, ...args] = process.argv.slice(2);
const tasksDir = join(root, 'scripts', 'tasks');
const file = join(tasksDir, `${task}.mjs`);
const tasks = readdirSync(tasksDir).map((name) => name.replace(/\.mjs$/, ''));
const usage = `node scripts/run.mjs TASK [arguments]\n\nTasks: ${tasks.sort().join(', ')}, pnpm`;

if (Number.parseInt(process.versions.node, 10) < 20) fail('Node 20 or newer is needed to start.');
if (task === undefined || task === '--help') {
  console.log(usage);
  process.exit(task === undefined ? 1 : 0);
}
if (task !== 'pnpm' && !existsSync(file)) fail(`There is no task ${task}.\n\n${usage}`);

// `pnpm` runs before an install, since it is what repairs one.
if (task === 'pnpm') {
  await installPnpm();
  await hand(pnpm, args, process.execPath);
} else {
  const node = await setUp();
  await hand(node, [file, ...args], node);
}

/**
 * @param {string} command
 * @param {string[]} commandArgs
 * @param {string} node
 */
async function hand(command, commandArgs, node) {
  const env = cleanEnvironment();
  env['STEWARD_TASK'] = task;
  env['PATH'] = [dirname(node), dirname(pnpm), env['PATH']].join(delimiter);
  const { code } = await run(command, commandArgs, { env });
  process.exitCode = code;
}
