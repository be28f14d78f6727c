// npm run bench [-- arguments]: the benchmark; bench/ installs its own peers, so that they weigh on nobody.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/child.mjs';
import { fail, root } from '../lib/workspace.mjs';

const main = join(root, 'bench', 'main.mjs');
if (!existsSync(main)) fail(`There is no ${main}: the checkout is not complete.`);
const { code } = await run(process.execPath, [main, ...process.argv.slice(2)], { cwd: root });
process.exitCode = code;
