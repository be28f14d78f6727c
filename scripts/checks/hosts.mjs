// No file names a package registry: which one is used is the matter of each machine (~/.npmrc).
import { execFileSync } from 'node:child_process';
import { report, trackedTexts } from '../lib/tracked.mjs';

const configured = execFileSync('npm', ['config', 'get', 'registry'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
}).trim();
const hosts = [
  ['registry', 'npmjs', 'org'].join('.'),
  ['registry', 'yarnpkg', 'com'].join('.'),
  ...(URL.canParse(configured) ? [new URL(configured).hostname] : []),
].filter((host) => host !== 'localhost' && host !== '127.0.0.1');

const problems = [];
for (const { file, text } of trackedTexts()) {
  if (/(^|\/)\.npmrc$/.test(file))
    problems.push(`${file}: settings of a machine, not of the project`);
  for (const [index, line] of text.split('\n').entries()) {
    if (hosts.some((host) => line.includes(host)))
      problems.push(`${file}:${index + 1}: names a registry`);
    if (file === 'pnpm-lock.yaml' && /tarball: *['"]?https?:/.test(line)) {
      problems.push(`${file}:${index + 1}: a package from an address instead of the registry`);
    }
  }
}
report(problems);
