import { describe, expect, it } from 'vitest';
import { examineRedis } from '../src/index.ts';
import { privateRedis } from './private-redis.ts';
import { hasRedis, rightsOf } from './test-redis.ts';

const rule = rightsOf('app');
const commands = rule.filter((part) => part.startsWith('+'));

/** Those that a start does not try: without them hints are late, and nothing else. */
const hints = ['+publish', '+subscribe'];

// That they suffice is shown by the suites: they run under the user of this rule.
describe.runIf(hasRedis)('the rights of the README', () => {
  it('are each needed: without one of them nothing starts', async () => {
    const { url, admin } = await privateRedis();
    const app = url.replace('//', '//app:PASSWORD@');
    const stateWith = async (rights: readonly string[]) => {
      await admin.call('ACL', 'SETUSER', 'app', 'reset', ...rights.slice(1));
      const findings = await examineRedis({ url: app, prefix: 'test:mine' });
      return findings.at(-1)?.state;
    };
    expect(commands.length).toBeGreaterThan(20);
    expect(await stateWith(rule)).toBe('ok');
    for (const command of commands) {
      const state = await stateWith(rule.filter((part) => part !== command));
      expect([command, state]).toEqual([command, hints.includes(command) ? 'ok' : 'failed']);
    }
  });

  it('reach no key of others', async () => {
    const { url, admin } = await privateRedis();
    await admin.call('ACL', 'SETUSER', ...rule);
    const app = url.replace('//', '//app:PASSWORD@');
    const findings = await examineRedis({ url: app, prefix: 'other' });
    expect(findings.at(-1)).toMatchObject({ check: 'rights', state: 'failed' });
    expect(findings.at(-1)?.says).toContain('~other:*');
  });
});
