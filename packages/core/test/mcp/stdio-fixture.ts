import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openPool, programs } from './pool.ts';

export const node = process.execPath;

/** A folder for the time of the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'steward-mcp-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The server with a tool for everything, as a child process; `ledger` is what really happened. */
export async function fixture(env: Record<string, string> = {}) {
  const ledger = join(await folder(), 'ledger');
  await writeFile(ledger, '');
  const config = {
    command: node,
    args: [programs.current],
    env: { LEDGER: ledger, ...env },
  };
  const opened = openPool({ box: { ...config, effects: { echo: 'read' } } });
  await opened.pool.prepare();
  return { ...opened, ledger: () => readFileSync(ledger, 'utf8').trim().split('\n') };
}
