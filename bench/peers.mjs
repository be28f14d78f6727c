// Who is measured, and how each gets its packages: an install of its own, so that nobody weighs on anybody.
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../scripts/lib/child.mjs';
import { fail, pnpm, root } from '../scripts/lib/workspace.mjs';

/** Always measured: ours and the reference. */
export const standard = ['raw', 'steward'];
/** Installed on demand. */
export const others = ['openai', 'ai', 'agents', 'mastra'];

export const peerDirectory = (peer) => join(root, 'bench', 'peers', peer);
const isInstalled = (peer) => existsSync(join(peerDirectory(peer), 'node_modules'));

/** What a peer's package.json asks for, and what of it is there: names with versions. */
export function packagesOf(peer) {
  const home = peerDirectory(peer);
  const wanted = Object.entries(readJson(join(home, 'package.json')).dependencies);
  return wanted.map(([name, version]) => {
    const file = join(home, 'node_modules', name, 'package.json');
    return { name, wanted: version, found: existsSync(file) ? readJson(file).version : null };
  });
}

/** The peers that can be measured now. */
export const installedPeers = () => [...standard, ...others].filter(isInstalled);

/** A peer's package and its version; `raw` is Node's own fetch. */
export function versionOf(peer) {
  if (peer === 'raw' || !isInstalled(peer)) return null;
  const [{ name, found }] = packagesOf(peer);
  return `${name} ${found}`;
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

async function must(command, args, cwd) {
  const env = { ...process.env };
  // The tasks run without npm's own settings; the registry that was chosen for npm is kept for pnpm under this name.
  if (env.pnpm_config_registry) env.npm_config_registry ??= env.pnpm_config_registry;
  const { code, output } = await run(command, args, { cwd, env, capture: true });
  if (code !== 0) fail(`${command} ${args.join(' ')} failed in ${cwd}:\n${output}`);
}

export async function install(peer) {
  console.error(`installing ${peer} ...`);
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  await must('npm', ['install', ...quiet], peerDirectory(peer));
}

/** Builds and packs our package as it would be published, and installs that. */
export async function installSteward() {
  console.error('building and packing @steward/core ...');
  const home = peerDirectory('steward');
  await must(process.execPath, ['scripts/tasks/build.mjs', 'packages/core'], root);
  await must(pnpm, ['pack', '--pack-destination', home], join(root, 'packages', 'core'));
  const { version } = readJson(join(root, 'packages', 'core', 'package.json'));
  renameSync(join(home, `steward-core-${version}.tgz`), join(home, 'steward-core.tgz'));
  // An equal version in the same place would be taken for installed.
  rmSync(join(home, 'node_modules'), { recursive: true, force: true });
  await install('steward');
}
