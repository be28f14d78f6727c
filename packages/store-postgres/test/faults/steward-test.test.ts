import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { databases } from '../drivers.ts';

const postgresUrl = inject('postgresUrl');
const [server] = databases;
const core = dirname(createRequire(import.meta.url).resolve('@steward/core/package.json'));
const program = join(core, 'src/testing/replicas/steward-test.ts');
const setUp = fileURLToPath(new URL('./own-set-up.ts', import.meta.url));

/** The command as a user gives it, over a schema of its own: its exit code and what it says. */
async function stewardTest(...args: readonly string[]): Promise<[number | null, string]> {
  if (server === undefined) throw new Error('no server');
  const stores = await server.open();
  const execArgv = ['--conditions=@steward/source', '--no-warnings'];
  const env = { ...process.env, DATABASE_URL: postgresUrl ?? '', SCHEMA: stores.schema };
  const child = spawn(process.execPath, [...execArgv, program, ...args], { env });
  let said = '';
  child.stdout.on('data', (text) => {
    said += String(text);
  });
  child.stderr.on('data', (text) => {
    said += String(text);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  await server.close(stores);
  return [code, said];
}

describe.skipIf(postgresUrl === null)('steward-test', () => {
  it('approve-once: says how often the tool ran', async () => {
    expect(await stewardTest('approve-once', setUp)).toEqual([
      0,
      [
        'approved twice at once: ran 1 times',
        'approved again later: ran 0 times more',
        'approved again while it ran: ran 1 times',
        '',
      ].join('\n'),
    ]);
  });

  it('fail-over: says whether the promises hold after each death', async () => {
    const [code, said] = await stewardTest('fail-over', setUp, '--deaths', 'after_finish');
    expect(said).toMatch(/^after_finish: died 1 times, .*every promise holds\n$/);
    expect(code).toBe(0);
  });

  it('explains itself to those who give it something else', async () => {
    const [code, said] = await stewardTest('fail-over');
    expect([code, said]).toEqual([2, expect.stringContaining('SET-UP is a module')]);
  });
});
