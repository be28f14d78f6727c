import { expect, test } from 'vitest';
import type { Effect } from '../../src/events/run-event.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import type { ListedTool, McpAnswer, ToolHints } from '../../src/mcp/mcp-client.ts';
import { mcpTools } from '../../src/mcp/mcp-tool.ts';
import { ToolContent } from '../../src/tools/tool-content.ts';
import { toolContext } from '../tools/tool-context.ts';

type Answered = Extract<McpAnswer, { kind: 'answered' }>;

const listed = (change: Partial<ListedTool> = {}): ListedTool => {
  const name = change.name ?? 'read';
  const inputSchema = change.inputSchema ?? { type: 'object' };
  const definition: JsonObject = {
    name,
    inputSchema: inputSchema as JsonObject,
    ...change.definition,
  };
  return {
    name,
    description: '',
    outputSchema: undefined,
    annotations: {},
    ...change,
    inputSchema,
    definition,
  };
};

const answered = (change: Partial<Answered> = {}): Answered => ({
  kind: 'answered',
  content: new ToolContent([{ type: 'text', text: 'ok' }]),
  structured: undefined,
  isError: false,
  ...change,
});

const made = (
  tools: readonly ListedTool[],
  effects: { [tool: string]: Effect } = {},
  answer = answered(),
) =>
  mcpTools(
    { name: 'srv', config: { command: 'x', effects, timeoutMs: 9 }, call: async () => answer },
    tools,
  );

const hidden = '\u202E\u200B\u{E0041}\u0007\uFEFF';

test('what a person cannot see is not told to the model', () => {
  const inputSchema = {
    type: 'object',
    properties: { title: { type: 'string', title: `A${hidden}b`, description: `c${hidden}` } },
  };
  const { tools, refused } = made([listed({ description: `Reads${hidden}\nfiles`, inputSchema })]);
  expect(refused).toEqual([]);
  expect(tools[0]).toMatchObject({
    name: 'srv__read',
    description: 'Reads\nfiles',
    server: 'srv',
    timeoutMs: 9,
  });
  expect(tools[0]?.parameters).toEqual({
    type: 'object',
    properties: { title: { type: 'string', title: 'Ab', description: 'c' } },
  });
});

test.each<[string, Partial<ListedTool>]>([
  ['a hidden character in its name', { name: `re${hidden}ad` }],
  ['no name', { name: '' }],
  ['a name without end', { name: 'a'.repeat(129) }],
  [
    'a hidden character in the name of a property',
    { inputSchema: { type: 'object', properties: { [`a${hidden}`]: {} } } },
  ],
  [
    'a hidden character in a value',
    { inputSchema: { type: 'object', properties: { a: { enum: [`x${hidden}`] } } } },
  ],
  [
    'a property named description with a hidden default',
    { inputSchema: { type: 'object', properties: { description: { default: hidden } } } },
  ],
  ['a schema that is none', { inputSchema: 'string' }],
])('a tool with %s is refused with a reason, the others stay', (_, change) => {
  const { tools, refused } = made([listed(change), listed({ name: 'good' })]);
  expect(tools.map(({ name }) => name)).toEqual(['srv__good']);
  expect(refused).toEqual([{ name: expect.any(String), reason: expect.stringMatching(/./) }]);
});

test('the second tool of a name is refused', () => {
  const { tools, refused } = made([listed(), listed({ description: 'other' })]);
  expect(tools).toHaveLength(1);
  expect(refused).toEqual([{ name: 'read', reason: 'the server lists another tool of this name' }]);
});

test.each<[Effect | undefined, ToolHints, Effect]>([
  [undefined, { readOnlyHint: true }, 'write'],
  ['read', {}, 'read'],
  ['read', { readOnlyHint: true, destructiveHint: true }, 'read'],
  ['read', { readOnlyHint: false }, 'write'],
  ['read', { destructiveHint: true }, 'write'],
  ['write_idempotent', { idempotentHint: false }, 'write'],
  ['write_idempotent', { readOnlyHint: true }, 'write_idempotent'],
  ['write', { readOnlyHint: true, idempotentHint: true }, 'write'],
])('the host says %s and the server hints %o: it is a %s', (declared, annotations, effect) => {
  const { tools } = made(
    [listed({ annotations })],
    declared === undefined ? {} : { read: declared },
  );
  expect(tools[0]?.effect).toBe(effect);
});

test('a tool named like a property of every object has no effect by inheritance', () => {
  expect(made([listed({ name: 'constructor' })]).tools[0]?.effect).toBe('write');
});

test('the hash covers what the host made of it: a call that was planned as a read does not start as a write', () => {
  const hash = (effect?: Effect, annotations: ToolHints = {}) =>
    made([listed({ annotations })], effect && { read: effect }).tools[0]?.definitionHash;
  const hashes = [hash('read'), hash('write_idempotent'), hash('write')];
  expect(new Set(hashes).size).toBe(3);
  expect(hash()).toBe(hash('write'));
  expect(hash('read', { readOnlyHint: false })).toBe(hash('write'));
});

test('the hash covers all that the server says', () => {
  const hash = (definition: JsonObject) => made([listed({ definition })]).tools[0]?.definitionHash;
  expect(hash({ a: 1 })).toBe(hash({ a: 1 }));
  expect(hash({ a: 1 })).not.toBe(hash({ a: 2 }));
  expect(hash({ outputSchema: {} })).not.toBe(hash({}));
});

test('a structured result that breaks its promise is given with a note, since the call was made', async () => {
  const tool = listed({ outputSchema: { type: 'object', required: ['n'] } });
  const run = async (structured: unknown) => {
    const result = await made([tool], {}, answered({ structured })).tools[0]?.execute(
      {},
      toolContext(),
    );
    return (result as ToolContent).parts.length;
  };
  await expect(run({ n: 1 })).resolves.toBe(1);
  await expect(run({})).resolves.toBe(2);
  await expect(run(undefined)).resolves.toBe(2);
});

test('a failure of the server is told in bounded words', async () => {
  const content = new ToolContent([{ type: 'text', text: `no\0${'x'.repeat(1_000_000)}` }]);
  const [tool] = made([listed()], {}, answered({ isError: true, content })).tools;
  const failure = await tool?.execute({}, toolContext()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'tool_failed',
    detail: expect.stringMatching(/^nox+ \[…\]$/),
  });
  expect((failure as Error).message.length).toBeLessThan(5_000);
});
