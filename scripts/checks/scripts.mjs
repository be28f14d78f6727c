// Every root script is `node scripts/run.mjs NAME` with a task of that name, and there are at most ten.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../lib/tracked.mjs';
import { manifest, root } from '../lib/workspace.mjs';

const scripts = manifest().scripts ?? {};
const tasks = readdirSync(join(root, 'scripts', 'tasks')).map((file) => file.replace(/\.mjs$/, ''));

const problems = [];
if (tasks.length > 10) problems.push(`${tasks.length} root scripts: at most 10`);
for (const name of new Set([...Object.keys(scripts), ...tasks])) {
  const wanted = `node scripts/run.mjs ${name}`;
  if (scripts[name] !== wanted) problems.push(`package.json: script ${name} should be "${wanted}"`);
  if (!tasks.includes(name)) problems.push(`scripts/tasks/${name}.mjs is missing`);
}
report(problems);
