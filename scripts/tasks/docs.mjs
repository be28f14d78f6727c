// npm run docs [-- typedoc arguments]: the API reference, in docs/api.
import { run } from '../lib/child.mjs';
import { root, tool } from '../lib/workspace.mjs';

const { code } = await run(tool('typedoc'), process.argv.slice(2), { cwd: root });
if (code === 0) console.log('The reference is in docs/api/index.html');
process.exitCode = code;
