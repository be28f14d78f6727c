import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { toolContext } from '../tools/tool-context.ts';
import { openPool } from './pool.ts';
import { fixture, folder, node } from './stdio-fixture.ts';

test('a server that dies in a call leaves an unknown outcome, and the next call starts it again', async () => {
  const { call, state, ledger } = await fixture();
  await expect(call('box__die')).rejects.toMatchObject({ code: 'outcome_unknown' });
  expect(ledger()).toEqual(['died']);
  expect(state()?.status).toBe('closed');
  await expect(call('box__echo', { text: 'back' })).resolves.toBe('back');
  expect(state()?.status).toBe('ready');
});

test.each<[string, Record<string, string>]>([
  ['the child', {}],
  ['a child that heeds neither the end of its input nor SIGTERM', { STUBBORN: '1' }],
])(
  'closing ends %s, and calls after it are refused',
  async (_, env) => {
    const { pool, find, call } = await fixture(env);
    const { PID } = JSON.parse(await call('box__environment')) as { readonly PID: number };
    const echo = find('box__echo');
    await pool.close();
    expect(pool.servers()[0]?.status).toBe('closed');
    await vi.waitFor(() => expect(() => process.kill(PID, 0)).toThrow('ESRCH'));
    await expect(echo.execute({ text: 'a' }, toolContext())).rejects.toMatchObject({
      code: 'closed',
    });
  },
  15_000,
);

test('closing while a server starts leaves no child behind', async () => {
  const pidFile = join(await folder(), 'pid');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.stdin.resume();`;
  const { pool } = openPool({ box: { command: node, args: ['-e', script] } });
  const prepared = pool.prepare();
  const pid = await vi.waitFor(
    () => Number(readFileSync(pidFile, 'utf8')) || Promise.reject(new Error('not yet')),
    5_000,
  );
  await pool.close();
  await prepared;
  for (const child of [pid, Number(readFileSync(pidFile, 'utf8'))]) {
    await vi.waitFor(() => expect(() => process.kill(child, 0)).toThrow('ESRCH'));
  }
}, 20_000);
