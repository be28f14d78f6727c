// npm run chaos [-- arguments]: a campaign of faults over replicas as processes; `--help` says more.
import { join } from 'node:path';
import { run } from '../lib/child.mjs';
import { root } from '../lib/workspace.mjs';

const main = join(root, 'scripts', 'chaos', 'main.ts');
const command = ['--conditions=@steward/source', main, ...process.argv.slice(2)];
const { code } = await run(process.execPath, command, { cwd: root });
process.exitCode = code;
