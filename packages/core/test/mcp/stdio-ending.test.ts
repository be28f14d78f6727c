import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toolContext } from '../tools/tool-context.ts';
import { openPool } from './pool.ts';
import { fixture, folder, isAlive, node } from './stdio-fixture.ts';

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
])('closing ends %s, and calls after it are refused', async (_, env) => {
  const { pool, find, call } = await fixture(env);
  const { PID } = JSON.parse(await call('box__environment')) as { readonly PID: number };
  const echo = find('box__echo');
  await pool.close();
  expect(pool.servers()[0]?.status).toBe('closed');
  await expect.poll(() => isAlive(PID)).toBe(false);
  await expect(echo.execute({ text: 'a' }, toolContext())).rejects.toMatchObject({
    code: 'closed',
  });
});

test('closing while a server starts leaves no child behind', async () => {
  const pidFile = join(await folder(), 'pid');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.stdin.resume();`;
  const { pool } = openPool({ box: { command: node, args: ['-e', script] } });
  const prepared = pool.prepare();
  const pids = () => Number(readFileSync(pidFile, { encoding: 'utf8', flag: 'a+' }));
  await expect.poll(pids).toBeGreaterThan(0);
  const pid = pids();
  await pool.close();
  await prepared;
  for (const child of [pid, pids()]) await expect.poll(() => isAlive(child)).toBe(false);
});
