// The files of the repository: tracked, and new ones that are not ignored.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

const binary = /\.(png|jpe?g|gif|ico|woff2?|pdf|zip|gz)$/;

/** @returns {Generator<{ file: string, text: string }>} */
export function* trackedTexts() {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  for (const file of names.split('\0').filter((name) => name && !binary.test(name))) {
    const path = join(root, file);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue; // deleted, not yet committed
    yield { file, text: readFileSync(path, 'utf8') };
  }
}

/**
 * Shows what was found and sets the exit code.
 * @param {string[]} problems
 */
export function report(problems) {
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? 'ok' : `${problems.length} found`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
