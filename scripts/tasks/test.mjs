// npm test [-- vitest arguments]: unit tests from the sources, no build.
import { run } from '../lib/child.mjs';
import { tool } from '../lib/workspace.mjs';

const { code } = await run(tool('vitest'), ['run', ...process.argv.slice(2)]);
process.exitCode = code;
