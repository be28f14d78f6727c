// npm run docs [-- typedoc arguments]: the API reference, in docs/api.
import { run } from '../lib/child.mjs';
import { root, tool } from '../lib/workspace.mjs';

const { code } = await run(tool('typedoc'), process.argv.slice(2), { cwd: root });
process.exitCode = code;
