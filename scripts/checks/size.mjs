// The size of core's own code, minified, without dependencies: what importing it loads, and all of it with what is
// loaded when first used.
import { join } from 'node:path';
import { build } from 'esbuild';
import { report } from '../lib/tracked.mjs';
import { root } from '../lib/workspace.mjs';

const kB = 1_000;
const limits = { loaded: 60 * kB, whole: 225 * kB };
const entry = join(root, 'packages/core/dist/index.js');

const { metafile } = await build({
  entryPoints: [entry],
  absWorkingDir: root,
  outdir: 'size',
  bundle: true,
  minify: true,
  splitting: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  // Chunks that only share code import each other for nothing; dropping that is what is measured.
  logOverride: { 'ignored-bare-import': 'silent' },
});
const outputs = metafile.outputs;
/** @type {Set<string>} */
const loaded = new Set();
/** @param {string} path */
function load(path) {
  if (loaded.has(path)) return;
  loaded.add(path);
  for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
    if (kind === 'import-statement' && outputs[imported]) load(imported);
  }
}
load(
  Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith('dist/index.js')) ?? '',
);

/** @param {Iterable<string>} paths */
const bytes = (paths) => [...paths].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
const sizes = { loaded: bytes(loaded), whole: bytes(Object.keys(outputs)) };
const problems = [];
for (const name of /** @type {const} */ (['loaded', 'whole'])) {
  const line = `${name}: ${(sizes[name] / kB).toFixed(1)} kB of at most ${limits[name] / kB} kB`;
  console.log(line);
  if (sizes[name] > limits[name] || sizes[name] === 0) problems.push(`core's own code, ${line}`);
}
report(problems);
