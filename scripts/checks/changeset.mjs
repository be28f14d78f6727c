// What changed has a changeset: a branch since main, main since the last release (or since the first commit).
import { spawnSync } from 'node:child_process';
import { run } from '../lib/child.mjs';
import { root, tool } from '../lib/workspace.mjs';

/** @param {string[]} args */
const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });

function base() {
  const isBranch = git('merge-base', '--is-ancestor', 'HEAD', 'main').status === 1;
  if (isBranch) return 'main';
  const release = git('describe', '--tags', '--abbrev=0', '--match=@steward/core@*').stdout.trim();
  return release || git('rev-list', '--max-parents=0', 'HEAD').stdout.trim();
}

const { code } = await run(tool('changeset'), ['status', `--since=${base()}`], { cwd: root });
process.exitCode = code;
