import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import * as zm from 'zod/mini';
import { z as z3 } from 'zod/v3';
import type { JsonObject } from '../../src/internal/json.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { toolContext } from './tool-context.ts';

const base = { name: 'pay', description: 'Pays', parameters: z.object({}), execute: () => 'paid' };
const numberIn = (value: number): number => value;

const run = (made: Tool, args: JsonObject) => made.execute(args, toolContext());

test('a tool is a write that decides its confirmation by default', () => {
  const made = tool(base);
  expect(made).toMatchObject({ effect: 'write', confirm: null, timeoutMs: null, server: null });
  expect(Object.isFrozen(made)).toBe(true);
});

test('zod 4 parameters become the JSON Schema of what is sent, and execute gets what zod makes of it', async () => {
  const made = tool({
    ...base,
    parameters: z.object({
      city: z.string().trim(),
      days: z.number().int().default(3),
      at: z.coerce.date().optional(),
    }),
    execute: (args) => {
      expectTypeOf(args).toEqualTypeOf<{ city: string; days: number; at?: Date | undefined }>();
      return { ...args, isDate: args.at instanceof Date };
    },
  });
  expect(made.parameters).toMatchObject({
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { type: 'integer', default: 3 },
      at: { type: 'string' },
    },
    required: ['city'],
  });
  const sent = { city: ' Oslo ', at: '2026-11-20T00:00:00Z' };
  await expect(made.validate(sent)).resolves.toEqual({ valid: true, value: sent });
  await expect(run(made, sent)).resolves.toMatchObject({ city: 'Oslo', days: 3, isDate: true });
});

test('zod mini and zod 3 parameters are understood as well', async () => {
  const mini = tool({
    ...base,
    parameters: zm.object({ n: zm.number() }),
    execute: ({ n }) => numberIn(n) + 1,
  });
  const three = tool({
    ...base,
    parameters: z3.object({ n: z3.number().default(1), s: z3.string().email() }),
    execute: ({ n, s }) => numberIn(n) + s.indexOf('@'),
  });
  expect(mini.parameters).toMatchObject({ properties: { n: { type: 'number' } }, required: ['n'] });
  expect(three.parameters).toMatchObject({
    properties: { s: { format: 'email' } },
    required: ['s'],
  });
  await expect(three.validate({ s: 'a@b.example', more: 1 })).resolves.toMatchObject({
    valid: true,
  });
  await expect(three.validate({ s: 'nobody' })).resolves.toMatchObject({ valid: false });
  await expect(run(three, { s: 'a@b.example' })).resolves.toBe(2);
  await expect(run(mini, { n: 1 })).resolves.toBe(2);
});

test('a plain JSON Schema gives JSON arguments', async () => {
  const parameters = {
    type: 'object',
    properties: { n: { type: 'number' } },
    required: ['n'],
  } as const;
  const made = tool({
    ...base,
    parameters,
    execute: (args) => {
      expectTypeOf(args).toEqualTypeOf<JsonObject>();
      return args['n'];
    },
  });
  await expect(made.validate({ n: 'one' })).resolves.toEqual({
    valid: false,
    message: 'n: must be number',
  });
  await expect(run(made, { n: 1 })).resolves.toBe(1);
});

test('refinements are reported like any other problem', async () => {
  const made = tool({
    ...base,
    parameters: z.object({
      range: z
        .object({ from: z.number(), to: z.number() })
        .refine((r) => r.from < r.to, 'ends before it begins'),
    }),
  });
  await expect(made.validate({ range: { from: 2, to: 1 } })).resolves.toEqual({
    valid: false,
    message: 'range: ends before it begins',
  });
});

test('a confirm function sees what zod makes of the arguments', async () => {
  const made = tool({
    ...base,
    parameters: z.object({ cents: z.string().transform(Number) }),
    confirm: ({ cents }) => numberIn(cents) > 100,
  });
  const rule = made.confirm as (args: JsonObject, context: object) => Promise<boolean>;
  await expect(rule({ cents: '99' }, {})).resolves.toBe(false);
  await expect(rule({ cents: '101' }, {})).resolves.toBe(true);
});

test('the root that the model APIs refuse is checked and not told', async () => {
  const made = tool({
    ...base,
    parameters: { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] } as const,
  });
  expect(made.parameters).toEqual({ type: 'object', properties: {} });
  await expect(made.validate({})).resolves.toMatchObject({ valid: false });
  await expect(made.validate({ b: 1 })).resolves.toMatchObject({ valid: true });
});

test('the hash follows every part of the definition', () => {
  const hash = (change: object) => tool({ ...base, ...change }).definitionHash;
  const hashes = [
    hash({}),
    hash({ name: 'other' }),
    hash({ description: 'Other' }),
    hash({ effect: 'read' }),
    hash({ parameters: z.object({ a: z.string().optional() }) }),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hash({ execute: () => 'elsewhere' })).toBe(hashes[0]);
});

test('a tool says what became of a call only when it knows', async () => {
  await expect(tool(base).reconcile('call_1')).resolves.toBeUndefined();
  const made = tool({ ...base, reconcile: (callId) => ({ succeeded: true, content: callId }) });
  await expect(made.reconcile('call_1')).resolves.toEqual({ succeeded: true, content: 'call_1' });
});

const cyclic: Record<string, unknown> = { type: 'object' };
cyclic['properties'] = { self: cyclic };

test.each([
  ['name', { name: '' }],
  ['name', { name: 'a\u200Bb' }],
  ['name', { name: 'a'.repeat(129) }],
  ['name', { name: 7 }],
  ['description', { description: undefined }],
  ['effect', { effect: 'reading' }],
  ['confirm', { confirm: true }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
  ['reconcile', { reconcile: 'yes' }],
  ['execute', { execute: undefined }],
  ['parameters', { parameters: z.string() }],
  ['parameters', { parameters: z.object({ at: z.date() }) }],
  ['parameters', { parameters: undefined }],
  ['parameters', { parameters: cyclic }],
  ['parameters', { parameters: [] }],
])('a wrong %s is a TypeError that names it', (field, change) => {
  expect(() => tool({ ...base, ...(change as object) })).toThrow(TypeError);
  expect(() => tool({ ...base, ...(change as object) })).toThrow(field);
});

test('an option that does not exist is named', () => {
  const options = { ...base, run: () => 'paid' };
  expect(() => tool(options)).toThrow(new TypeError('tool "pay": run is not an option'));
});
