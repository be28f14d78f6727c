// npm start [-- arguments]: the chat page, from the sources.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/child.mjs';
import { fail, root } from '../lib/workspace.mjs';

const server = join(root, 'examples', 'web', 'src', 'server.ts');
if (!existsSync(server)) fail(`There is no ${server}: the checkout is not complete.`);
const args = ['--conditions=@steward/source', server, ...process.argv.slice(2)];
const { code } = await run(process.execPath, args, { cwd: root });
process.exitCode = code;
