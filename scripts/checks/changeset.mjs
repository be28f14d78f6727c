// A branch that changes a package says so in .changeset/. The base is main, or what a CI clone has of it.
import { spawnSync } from 'node:child_process';
import { run } from '../lib/child.mjs';
import { root, tool } from '../lib/workspace.mjs';

/** @param {string} ref */
const exists = (ref) =>
  spawnSync('git', ['rev-parse', '--quiet', '--verify', `${ref}^{commit}`], { cwd: root })
    .status === 0;
const base = ['main', 'origin/main'].find(exists);
if (base === undefined) console.log('There is no branch main here: nothing to compare with.');
const { code } = await run(tool('changeset'), ['status', `--since=${base ?? 'HEAD'}`], {
  cwd: root,
});
process.exitCode = code;
