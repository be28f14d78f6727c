// npm run db -- COMMAND [options]: `steward-postgres` from the sources; without a command it says which there are.
import { join } from 'node:path';
import { run } from '../lib/child.mjs';
import { root } from '../lib/workspace.mjs';

const cli = join(root, 'packages', 'store-postgres', 'src', 'cli.ts');
const command = ['--conditions=@steward/source', cli, ...process.argv.slice(2)];
const { code } = await run(process.execPath, command, { cwd: root });
process.exitCode = code;
