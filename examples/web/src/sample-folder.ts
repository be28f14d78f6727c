import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const samples = fileURLToPath(new URL('../sample-files', import.meta.url));

/** A folder with the sample files that the assistant may change: a copy, so that the checkout stays as it is. */
export async function openSampleFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'steward-files-')));
  await cp(samples, path, { recursive: true });
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
