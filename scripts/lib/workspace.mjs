// Where things are. Node >= 20, built-ins only.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The npm package that brings Node 24 is named after the platform; others use the Node they have. */
export const nodeMajor = 24;

/** pnpm is kept apart from node_modules, so that it can install node_modules. */
export const pnpmVersion = '12.21.0';
export const toolsDir = join(root, '.tools');
export const pnpm = join(toolsDir, 'node_modules', '.bin', 'pnpm');

/**
 * The command of an installed tool.
 * @param {string} name
 */
export const tool = (name) => join(root, 'node_modules', '.bin', name);

/**
 * Members of the workspace under a folder, as `packages/core`.
 * @param {'packages' | 'examples'} folder
 * @returns {string[]}
 */
export function members(folder) {
  const dir = join(root, folder);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => existsSync(join(dir, name, 'package.json')))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/**
 * The package.json of a member, or of the root.
 * @param {string} [member]
 * @returns {{ name: string, scripts?: Record<string, string> }}
 */
export function manifest(member = '.') {
  return JSON.parse(readFileSync(join(root, member, 'package.json'), 'utf8'));
}

/**
 * A task's words for its user, and the end.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
