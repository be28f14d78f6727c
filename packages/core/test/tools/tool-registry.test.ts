import { expect, test } from 'vitest';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { modelNamesFor, ToolRegistry } from '../../src/tools/tool-registry.ts';

const own = (name: string, description = name): Tool =>
  tool({ name, description, parameters: { type: 'object' }, execute: () => name });
const of = (server: string, name: string, description = name): Tool => ({
  ...own(`${server}__${name}`, description),
  server,
});

test('finds tools by name and by the name that the model uses', () => {
  const registry = new ToolRegistry([own('send mail'), own('read')]);
  const modelName = registry.modelName('send mail') ?? '';
  expect(modelName).toMatch(/^send_mail_[0-9a-f]{10}$/);
  expect(registry.byModelName(modelName)?.name).toBe('send mail');
  expect(registry.byModelName('read')?.name).toBe('read');
  expect(registry.get('send mail')?.name).toBe('send mail');
  expect(registry.get('constructor')).toBeUndefined();
  expect(registry.byModelName('send mail')).toBeUndefined();
});

test('refuses two tools of one name and says whose they are', () => {
  expect(() => new ToolRegistry([own('a'), own('a')])).toThrow('[duplicate_tool]');
  const registry = new ToolRegistry([own('files__read')]);
  expect(() => registry.setServer('files', [of('files', 'read')])).toThrow(
    'one of the tools of the host and one of server "files"',
  );
  expect(registry.list()).toHaveLength(1);
});

test('gives the same frozen array for the same set of tools', () => {
  const registry = new ToolRegistry([own('a'), own('b')]);
  registry.setServer('s', [of('s', 'x')]);
  const all = registry.definitions();
  expect(Object.isFrozen(all)).toBe(true);
  expect(registry.definitions()).toBe(all);
  registry.setServer('s', [of('s', 'x')]);
  expect(registry.definitions()).toBe(all);
  expect(registry.definitions(['b', 'a'])).toBe(registry.definitions(['a', 'b', 'nobody']));
  expect(registry.definitions(['b', 'a']).map(({ name }) => name)).toEqual(['a', 'b']);
});

test('a changed definition makes a new array, and only that definition is new', () => {
  const registry = new ToolRegistry([own('a')]);
  registry.setServer('s', [of('s', 'x'), of('s', 'y')]);
  const before = registry.definitions();
  registry.setServer('s', [of('s', 'x'), of('s', 'y', 'changed')]);
  const after = registry.definitions();
  expect(after).not.toBe(before);
  expect(after.map((definition, index) => definition === before[index])).toEqual([
    true,
    true,
    false,
  ]);
});

test('orders the tools of servers by server, whoever came first', () => {
  const registry = new ToolRegistry([own('z')]);
  registry.setServer('b', [of('b', 'x')]);
  registry.setServer('a', [of('a', 'x')]);
  expect(registry.list().map(({ name }) => name)).toEqual(['z', 'a__x', 'b__x']);
  registry.setServer('a', []);
  expect(registry.list().map(({ name }) => name)).toEqual(['z', 'b__x']);
});

test('names for the model never meet', () => {
  const hashed = modelNamesFor(['a b']).get('a b') ?? '';
  const names = [
    'a b',
    'a.b',
    'a_b',
    'ä',
    'ö',
    'x'.repeat(64),
    'x'.repeat(65),
    'x'.repeat(66),
    hashed,
  ];
  const mapped = modelNamesFor(names);
  expect(new Set(mapped.values()).size).toBe(names.length);
  for (const name of mapped.values()) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(mapped.get(hashed)).toBe(hashed);
  expect(new Map(modelNamesFor(names.toReversed()))).toEqual(new Map(mapped));
});
