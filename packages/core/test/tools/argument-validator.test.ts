import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/internal/json.ts';
import { schemaCheck } from '../../src/tools/argument-validator.ts';
import { boundedSchema } from '../../src/tools/schema-limits.ts';

const check = (schema: JsonObject, value: unknown, author: 'host' | 'server' = 'host') =>
  schemaCheck(schema, author)(value);

test.each<[string, JsonObject, unknown, string | null]>([
  ['a missing property', { required: ['to'] }, {}, "arguments: must have required property 'to'"],
  [
    'a place inside of arrays',
    { properties: { a: { items: { properties: { b: { type: 'number' } } } } } },
    { a: [{ b: 'x' }] },
    'a[0].b: must be number',
  ],
  [
    'a format',
    { properties: { to: { format: 'email' } } },
    { to: 'nobody' },
    'to: must match format "email"',
  ],
  [
    'an unknown property',
    { properties: {}, additionalProperties: false },
    { x: 1 },
    'arguments: must NOT have additional properties (x)',
  ],
  [
    'what would be allowed',
    { properties: { unit: { enum: ['C', 'F'] } } },
    { unit: 'K' },
    'unit: must be equal to one of the allowed values (["C","F"])',
  ],
  [
    'a name that needs escaping in a pointer',
    { properties: { 'a/b~c': { type: 'string' } } },
    { 'a/b~c': 1 },
    'a/b~c: must be string',
  ],
  ['nothing when all is well', { properties: { a: { type: 'string' } } }, { a: 'b' }, null],
])('tells the model %s', async (_, schema, value, message) => {
  await expect(check({ type: 'object', ...schema }, value)).resolves.toBe(message);
});

test('tells at most five problems at once', async () => {
  const message = await check(
    { type: 'object', required: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] },
    {},
  );
  expect(message?.match(/required/g)).toHaveLength(5);
  expect(message).toContain('and 2 more');
});

test('follows draft-07 and 2020-12 by $schema', async () => {
  const tuple = { properties: { t: { items: [{ type: 'string' }], additionalItems: false } } };
  const prefix = { properties: { t: { prefixItems: [{ type: 'string' }], items: false } } };
  const old = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', ...tuple };
  const recent = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    ...prefix,
  };
  for (const schema of [old, recent, { type: 'object', ...tuple }, { type: 'object', ...prefix }]) {
    await expect(check(schema, { t: [1] })).resolves.toContain('t[0]: must be string');
    await expect(check(schema, { t: ['a', 'b'] })).resolves.not.toBeNull();
    await expect(check(schema, { t: ['a'] })).resolves.toBeNull();
  }
});

test.each<[string, JsonObject]>([
  ['a remote reference', { properties: { a: { $ref: 'https://evil.example/schema.json' } } }],
  ['an unknown type', { properties: { a: { type: 'strng' } } }],
])('a schema with %s refuses every value and says why', async (_, schema) => {
  await expect(check({ type: 'object', ...schema }, { a: 'x' })).resolves.toMatch(
    /schema of this tool cannot be used/,
  );
});

test('two schemas with one $id do not meet', async () => {
  const first = { $id: 'https://a.example/s', type: 'object', required: ['a'] };
  const second = { $id: 'https://a.example/s', type: 'object', required: ['b'] };
  await expect(check(first, { a: 1 })).resolves.toBeNull();
  await expect(check(second, { a: 1 })).resolves.toContain("'b'");
});

test('the patterns of servers are not evaluated, those of the host are', async () => {
  const hostile = { type: 'object', properties: { s: { type: 'string', pattern: '^(a+)+$' } } };
  const value = { s: `${'a'.repeat(5_000)}!` };
  await expect(check(hostile, value, 'server')).resolves.toBeNull();
  const mild = {
    type: 'object',
    properties: { s: { pattern: '^[a-z]+$' } },
    patternProperties: { '^x': { type: 'number' } },
  };
  await expect(check(mild, { s: 'A' })).resolves.toContain('must match pattern');
  await expect(
    check({ ...mild, additionalProperties: false }, { x1: 'one' }, 'server'),
  ).resolves.toBeNull();
});

test('the exclusive bounds of draft-04 are understood', async () => {
  const schema = boundedSchema({
    type: 'object',
    properties: { n: { minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false } },
  });
  expect(schema['properties']).toEqual({ n: { exclusiveMinimum: 0, maximum: 9 } });
  await expect(check(schema, { n: 0 })).resolves.toBe('n: must be > 0');
  await expect(check(schema, { n: 9 })).resolves.toBeNull();
});

test('schemas that are too deep or too long are refused before anybody compiles them', () => {
  let deep: JsonObject = { type: 'object' };
  for (let level = 0; level < 100_000; level += 1)
    deep = { type: 'object', properties: { a: deep } };
  expect(() => boundedSchema(deep)).toThrow('deeper than 64');
  expect(() => boundedSchema({ type: 'object', description: 'x'.repeat(300_000) })).toThrow(
    'more than',
  );
  expect(() => boundedSchema('schema')).toThrow('not a JSON Schema object');
});

test('a schema that doubles itself is refused, one that contains itself is not', async () => {
  const $defs: Record<string, JsonObject> = { d30: { type: 'string' } };
  for (let n = 0; n < 30; n += 1) {
    $defs[`d${n}`] = { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] };
  }
  const doubling = { type: 'object', properties: { a: { $ref: '#/$defs/d0' } }, $defs };
  expect(() => boundedSchema(doubling)).toThrow('references');
  const tree = {
    type: 'object',
    properties: { left: { $ref: '#' }, right: { $ref: '#' }, n: { type: 'number' } },
  };
  await expect(check(boundedSchema(tree), { left: { right: { n: 'x' } } })).resolves.toBe(
    'left.right.n: must be number',
  );
});

test('references that never end are told, not thrown', async () => {
  const endless = {
    type: 'object',
    $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } },
    allOf: [{ $ref: '#/$defs/a' }],
  };
  await expect(check(boundedSchema(endless), {}, 'server')).resolves.toContain(
    'nested without end',
  );
});
