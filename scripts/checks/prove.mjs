// Plants violations in a copy of the repository and expects the check in charge to name each of them.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { run } from '../lib/child.mjs';
import { trackedTexts } from '../lib/tracked.mjs';
import { pnpm, root, toolsDir } from '../lib/workspace.mjs';
import { plants } from './plants.mjs';

const copy = mkdtempSync(join(tmpdir(), 'steward-checks-'));
/** @param {string[]} args */
const git = (...args) => execFileSync('git', args, { cwd: copy, stdio: 'pipe' });

/** @param {string} file @param {string} text */
function write(file, text) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), text);
}

async function makeCopy() {
  for (const { file } of trackedTexts()) cpSync(join(root, file), join(copy, file));
  symlinkSync(toolsDir, join(copy, '.tools'));
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'check');
  git('config', 'user.email', 'check@localhost');
  git('add', '--all', '--force', '--', '.', ':!.tools');
  git('commit', '--quiet', '--message=base');
  git('switch', '--quiet', '--create=planted');
  const install = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=silent'];
  const { code, output } = await run(pnpm, install, { cwd: copy, capture: true });
  if (code !== 0) throw new Error(`pnpm install in the copy: ${output}`);
}

/** @param {import('./plants.mjs').Plant} plant */
async function bites(plant) {
  for (const [file, text] of Object.entries(plant.files ?? {})) write(file, text);
  for (const [file, edit] of Object.entries(plant.edits ?? {})) {
    write(file, edit(readFileSync(join(copy, file), 'utf8')));
  }
  if (plant.commit) git('commit', '--quiet', '--all', '--message=planted');
  const only = plant.check.split(' ').flatMap((name) => ['--only', name]);
  const command = ['scripts/tasks/check.mjs', ...only];
  const { code, output } = await run(process.execPath, command, { cwd: copy, capture: true });
  git('reset', '--quiet', '--hard', 'main');
  git('clean', '--quiet', '--force', '-d', '--exclude=.tools');
  const plain = stripVTControlCharacters(output);
  const missed = plant.expect.filter((words) => !plain.includes(words));
  if (code !== 0 && missed.length === 0) return true;
  console.error(`${plain}\n${plant.check}: exit code ${code}, not found: ${missed.join(', ')}`);
  return false;
}

let failed = 0;
try {
  await makeCopy();
  for (const plant of plants) {
    const start = performance.now();
    const ok = await bites(plant);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${ok ? 'bites ' : 'MISSED'} ${plant.check}: ${plant.expect.join(', ')} (${seconds} s)`,
    );
    if (!ok) failed += 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
