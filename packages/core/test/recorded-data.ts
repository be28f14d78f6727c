import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/** A folder of recorded data, and whether its tests run: a clone without the data skips them, and says so in one line. */
export function recordedData(folder: string): { readonly path: string; readonly tested: boolean } {
  const path = resolve(root, process.env['STEWARD_DATA'] ?? '../shared/data', folder);
  const tested = existsSync(path) || process.env['STEWARD_REQUIRE'] !== undefined;
  if (!tested) console.log(`skipped: there is no ${path} (set STEWARD_DATA)`);
  return { path, tested };
}
