// Brings pnpm, the packages and Node 24 into a fresh clone. Node >= 20, npm, built-ins only.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { fail, members, nodeMajor, pnpm, pnpmVersion, root, toolsDir } from './workspace.mjs';

const stampFile = join(root, 'node_modules', '.steward-setup.json');

/** What an install depends on: unchanged, nothing needs installing. */
function fingerprint() {
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch}`);
  const all = ['.', ...members('packages'), ...members('examples'), 'scripts/chaos'];
  const manifests = all.map((member) => `${member}/package.json`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/** The environment without what npm adds for its own scripts; a registry chosen for npm counts for pnpm. */
export function cleanEnvironment() {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^npm_(config|package|lifecycle)_/i.test(key)),
  );
  const registry = process.env['npm_config_registry'];
  return registry ? { pnpm_config_registry: registry, ...env } : env;
}

/**
 * Makes the workspace ready and says which Node runs its tasks.
 * @returns {Promise<string>} path of a Node >= 24
 */
export async function setUp() {
  const wanted = fingerprint();
  const stamp = readStamp();
  if (stamp?.fingerprint === wanted && existsSync(stamp.node)) return stamp.node;
  await installPnpm();
  await installPackages();
  const node = await findNode();
  writeFileSync(stampFile, `${JSON.stringify({ fingerprint: wanted, node })}\n`);
  return node;
}

/** @returns {{ fingerprint: string, node: string } | undefined} */
function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return undefined; // missing or cut off: install again
  }
}

export async function installPnpm() {
  const done = join(toolsDir, `pnpm-${pnpmVersion}.ok`);
  if (existsSync(done) && existsSync(pnpm)) return;
  mkdirSync(toolsDir, { recursive: true });
  writeFileSync(join(toolsDir, 'package.json'), '{"private":true}\n');
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  await step(`pnpm ${pnpmVersion}`, 'npm', ['install', ...quiet, `pnpm@${pnpmVersion}`], {
    cwd: toolsDir,
    env: process.env,
  });
  writeFileSync(done, '');
}

async function installPackages() {
  const args = ['install', '--frozen-lockfile', '--reporter=append-only'];
  await step('packages and Node', pnpm, args, { cwd: root, env: cleanEnvironment() });
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {import('./child.mjs').ChildOptions} options
 */
async function step(what, command, args, options) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  console.error(`[setup] installing ${what} ...`);
  const ticks = setInterval(() => console.error(`[setup] still at ${what} (${seconds()})`), 10_000);
  const result = await run(command, args, {
    ...options,
    capture: true,
    stopAt: / 0 retries left/,
  }).catch((/** @type {Error} */ error) => ({ code: 1, output: `${command}: ${error.message}` }));
  clearInterval(ticks);
  if (result.code !== 0) {
    const end = result.output.trimEnd().split('\n').slice(-12).join('\n');
    fail(`${end}\n\n${advice(what, result.output)}`);
  }
  console.error(`[setup] ${what}: done in ${seconds()}`);
}

/**
 * @param {string} what
 * @param {string} output
 */
function advice(what, output) {
  if (/frozen-lockfile|OUTDATED_LOCKFILE/.test(output)) {
    return '[setup] A package.json changed: run `node scripts/run.mjs pnpm install` and commit the lockfile.';
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_PNPM_(META_)?FETCH|network/i.test(
      output,
    )
  ) {
    return (
      `[setup] ${what}: the registry was not reached. The first run needs the network, or a mirror named in\n` +
      '        ~/.npmrc; later runs do not. Nothing is broken: run the same command again.'
    );
  }
  return `[setup] Could not install ${what}; the lines above say why.`;
}

/** The Node from the packages where there is one that runs here, else the one running now. */
async function findNode() {
  const brought = join(root, 'node_modules', '.bin', 'node');
  for (const node of existsSync(brought) ? [brought, process.execPath] : [process.execPath]) {
    const { output } = await run(node, ['--version'], { capture: true }).catch(() => ({
      output: '',
    }));
    if (Number.parseInt(output.replace(/^v/, ''), 10) >= nodeMajor) return node;
  }
  return fail(
    `[setup] There is no Node ${nodeMajor} package for ${process.platform}-${process.arch}, and this is Node ` +
      `${process.versions.node}.\n        Install Node ${nodeMajor} or newer and run the same command again.`,
  );
}
