import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/events/message.ts';
import type { JsonObject } from '../../src/internal/json.ts';
import { exampleFor } from '../../src/model/demo/overview.ts';
import { demoModel } from '../../src/model/demo-model.ts';
import type { ModelRequest, ToolDefinition } from '../../src/model/model-client.ts';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';

const string = { type: 'string' };
const define = (
  name: string,
  description: string,
  properties: JsonObject,
  required = Object.keys(properties),
): ToolDefinition => ({ name, description, parameters: { type: 'object', properties, required } });

const tools: readonly ToolDefinition[] = [
  define('disk__read_document', 'Reads the text of a document.', { path: string }),
  define('disk__write_document', 'Writes a document, new or over an old one.', {
    path: string,
    content: string,
  }),
  define('disk__list_folder', 'Lists what is in a folder.', { path: string }),
  define('disk__find_documents', 'Finds documents whose name matches a glob.', {
    path: string,
    pattern: string,
  }),
  define('post_letter', 'Sends a letter to a mail address.', {
    to: { type: 'string', format: 'email', description: 'Where it goes' },
    subject: string,
    body: { type: 'string', description: 'What it says' },
  }),
  define('forecast', 'The forecast for a town.', { town: string, days: { type: 'integer' } }, [
    'town',
  ]),
  define('convert_length', 'Converts a length into another unit.', {
    value: { type: 'number' },
    unit: { type: 'string', enum: ['metres', 'feet'] },
  }),
  define('solve', 'Evaluates an arithmetic expression.', { expression: string }),
  define('add_tasks', 'Adds tasks to the list.', { tasks: { type: 'array', items: string } }),
];

interface Turn {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  readonly events: readonly ModelEvent[];
}

async function turn(request: ModelRequest, signal = new AbortController().signal): Promise<Turn> {
  const events: ModelEvent[] = [];
  for await (const event of demoModel({ paceMs: 0 }).stream(request, { signal }))
    events.push(event);
  return {
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    calls: events.flatMap((event) =>
      event.type === 'tool_call'
        ? [{ name: event.name, args: JSON.parse(event.argumentsText) }]
        : [],
    ),
    events,
  };
}

const say = (content: string, more: Partial<ModelRequest> = {}) =>
  turn({ messages: [{ role: 'user', content }], tools, ...more });

/** A conversation in which tools answer what `results` says; gives the last turn. */
class Talk {
  readonly messages: Message[] = [];
  readonly called: { name: string; args: unknown }[] = [];
  readonly results: Readonly<Record<string, string>>;

  constructor(results: Readonly<Record<string, string>>) {
    this.results = results;
  }

  async say(content: string): Promise<string> {
    this.messages.push({ role: 'user', content });
    for (;;) {
      const { text, calls, events } = await turn({ messages: this.messages, tools });
      const toolCalls = events.flatMap((event) => (event.type === 'tool_call' ? [event] : []));
      this.messages.push({
        role: 'assistant',
        content: text,
        ...(calls.length > 0 && { toolCalls }),
      });
      if (calls.length === 0) return text;
      this.called.push(...calls);
      for (const { id, name } of toolCalls) {
        this.messages.push({
          role: 'tool',
          toolCallId: id,
          name,
          content: this.results[name] ?? 'ok',
        });
      }
    }
  }
}

test('streams start, words, and a finish with its reason and an estimate of tokens', async () => {
  const { events, text } = await say('Hello');
  expect(events[0]).toEqual({ type: 'start', requestId: null });
  expect(events.filter((event) => event.type === 'text').length).toBeGreaterThan(50);
  expect(events.at(-1)).toMatchObject({
    type: 'finish',
    reason: 'stop',
    model: 'demo',
    usage: { outputTokens: Math.ceil(text.length / 4), cachedTokens: 0 },
  });
  expect((await say('Read notes.txt')).events.at(-1)).toMatchObject({ reason: 'tool_calls' });
});

test('paces its words by the clock, and stops at once when aborted', async () => {
  await say('Hello'); // Loads the rules: a clock does not wait for files.
  const clock = fakeClock();
  const controller = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    const request = { messages: [{ role: 'user' as const, content: 'Hello' }], tools };
    const stream = demoModel({ clock }).stream(request, { signal: controller.signal });
    for await (const event of stream) seen.push(event.type);
  })();
  await clock.advance(74);
  expect(seen).toEqual(['start', 'text', 'text']);
  controller.abort();
  await reading;
  expect(seen.at(-1)).toBe('error');
  expect(clock.pending).toEqual([]);
  expect(() => demoModel({ paceMs: -1 })).toThrow(TypeError);
});

test('says the same to the same request, and gives every call of a conversation its own id', async () => {
  expect((await say('Read a.txt and b.txt')).events).toEqual(
    (await say('Read a.txt and b.txt')).events,
  );
  const talk = new Talk({});
  await talk.say('Read a.txt and b.txt');
  await talk.say('Read a.txt and b.txt');
  const ids = talk.messages
    .flatMap((m) => (m.role === 'assistant' ? (m.toolCalls ?? []) : []))
    .map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
});

describe('picks a tool and reads its arguments', () => {
  test.each([
    ['Open the document reports/q3.txt', 'disk__read_document', { path: 'reports/q3.txt' }],
    ['Please show me "my notes.txt"', 'disk__read_document', { path: 'my notes.txt' }],
    ['What is in the folder?', 'disk__list_folder', { path: '.' }],
    ['list the folder invoices', 'disk__list_folder', { path: 'invoices' }],
    ['Find documents about taxes', 'disk__find_documents', { path: '.', pattern: '**/*taxes*' }],
    ['find *.csv documents in data/', 'disk__find_documents', { path: 'data/', pattern: '*.csv' }],
    [
      'Save a document named hi.txt saying Good day',
      'disk__write_document',
      { path: 'hi.txt', content: 'Good day' },
    ],
    [
      'Post a letter to jo@example.org with subject Rent and body It is paid.',
      'post_letter',
      { to: 'jo@example.org', subject: 'Rent', body: 'It is paid' },
    ],
    [
      'Send a letter to jo@example.org, body: "List the folder and read it", subject: "Hm"',
      'post_letter',
      { to: 'jo@example.org', subject: 'Hm', body: 'List the folder and read it' },
    ],
    ['What is the forecast for New York tomorrow?', 'forecast', { town: 'New York' }],
    ['Forecast for Oslo, 5 days', 'forecast', { town: 'Oslo', days: 5 }],
    ['Convert a length of 1,250.5 feet', 'convert_length', { value: 1250.5, unit: 'feet' }],
    ['How much is 12 * (3 + 4)?', 'solve', { expression: '12 * (3 + 4)' }],
    [
      'add tasks water the plants, call Jo and rest',
      'add_tasks',
      { tasks: ['water the plants', 'call Jo', 'rest'] },
    ],
    ['use forecast for Rome', 'forecast', { town: 'Rome' }],
  ])('%s', async (message, name, args) => {
    expect((await say(message)).calls).toEqual([{ name, args }]);
  });

  test('every message that it suggests makes it call that tool', () => {
    const suggested = tools.map((tool) => exampleFor(tool, tools));
    expect(suggested.filter((example) => example === undefined)).toEqual([]);
  });

  test.each([
    'Tell me a joke',
    'What is the meaning of life?',
    'Write a poem about the sea',
    'Thanks!',
    '',
    '???',
  ])('calls nothing for %j', async (message) => {
    const { calls, text } = await say(message);
    expect(calls).toEqual([]);
    expect(text.length).toBeGreaterThan(20);
  });

  test('several of a kind become several calls', async () => {
    const { calls, text } = await say('Forecast for Paris, Rome and Oslo');
    expect(calls.map(({ args }) => args)).toEqual([
      { town: 'Paris' },
      { town: 'Rome' },
      { town: 'Oslo' },
    ]);
    expect(text.trim()).toBe('I will call `forecast` 3 times.');
  });

  test('toolChoice decides: none, this one, any', async () => {
    expect((await say('Read a.txt', { toolChoice: 'none' })).calls).toEqual([]);
    const forced = await say('Hm', { toolChoice: { name: 'convert_length' } });
    expect(forced.calls).toEqual([{ name: 'convert_length', args: { value: 1, unit: 'metres' } }]);
    expect((await say('Hm', { toolChoice: 'required' })).calls).toHaveLength(1);
  });
});

describe('carries on a conversation', () => {
  test('asks for what is missing, and goes on with the answers', async () => {
    const talk = new Talk({});
    const question = await talk.say('Send a letter to jo@example.org');
    expect(question).toContain(
      'To use `post_letter` I still need:\n\n- **subject**\n- **body**: What it says',
    );
    expect(await talk.say('The subject is Dinner')).toContain('I still need:\n\n- **body**');
    await talk.say('At eight? Or "later"?');
    expect(talk.called).toEqual([
      {
        name: 'post_letter',
        args: { to: 'jo@example.org', subject: 'Dinner', body: "At eight? Or 'later'?" },
      },
    ]);
  });

  test('does something else when the answer asks for something else', async () => {
    const talk = new Talk({});
    await talk.say('What is the forecast?');
    await talk.say('Read a.txt');
    expect(talk.called).toEqual([{ name: 'disk__read_document', args: { path: 'a.txt' } }]);
  });

  test('repeats the last call with what is new', async () => {
    const talk = new Talk({});
    await talk.say('Forecast for Oslo, 5 days');
    await talk.say('And in Rome?');
    await talk.say('again');
    expect(talk.called.map(({ args }) => args)).toEqual([
      { town: 'Oslo', days: 5 },
      { town: 'Rome', days: 5 },
      { town: 'Rome', days: 5 },
    ]);
  });

  test('does one thing after the other, and passes on what it found', async () => {
    const talk = new Talk({ disk__read_document: 'Milk, eggs' });
    await talk.say('Read shopping.txt and then send it to jo@example.org in a letter');
    expect(talk.called).toEqual([
      { name: 'disk__read_document', args: { path: 'shopping.txt' } },
      {
        name: 'post_letter',
        args: { to: 'jo@example.org', subject: 'Result of read_document', body: 'Milk, eggs' },
      },
    ]);
  });

  test('does not go on after a step that was declined', async () => {
    const talk = new Talk({ disk__read_document: 'Not run: the user declined this call.' });
    const answer = await talk.say(
      'Read shopping.txt and then send it to jo@example.org in a letter',
    );
    expect(talk.called).toHaveLength(1);
    expect(answer).toContain('I did not run `read_document`, because the call was not approved.');
  });
});

describe('tells in Markdown what came of a call', () => {
  const answerTo = (content: string) =>
    new Talk({ disk__list_folder: content }).say('list the folder');

  test.each([
    ['a short text', 'Empty', '`list_folder` answered: Empty'],
    [
      'a listing',
      '[FILE] a|b.txt\n[DIR] c',
      '| kind | name |\n| --- | --- |\n| file | `a\\|b.txt` |\n| dir | `c` |',
    ],
    [
      'a long text',
      'one\ntwo ``` three',
      'answered 2 lines (4 words):\n\n````text\none\ntwo ``` three\n````',
    ],
    [
      'a table',
      '[{"id":1,"name":"a"},{"id":2}]',
      '| id | name |\n| --- | --- |\n| 1 | a |\n| 2 |  |',
    ],
    ['a list', '["a","b"]', 'found 2 items:\n\n- a\n- b'],
    ['an object', '{"a":1,"b":{"c":true}}', '- **a**: 1\n- **b**: `{"c":true}`'],
    ['a wrapped text', '{"content":"Empty"}', '`list_folder` answered: Empty'],
    ['a value', '42', '`list_folder` answered **42**.'],
    ['nothing', '', 'Done: `list_folder` ran and gave no result.'],
    [
      'a failure',
      'The tool failed. [tool_failed] No\nsuch folder',
      'did not succeed:\n\n> The tool failed. [tool_failed] No such folder',
    ],
    ['an error as JSON', '{"error":{"message":"no"}}', 'did not succeed'],
    [
      'an unknown outcome',
      'The call was started, but nobody can say whether it took effect.',
      'nobody can say whether it took effect',
    ],
  ])('%s', async (_, content, expected) => {
    expect(await answerTo(content)).toContain(expected);
  });

  test('large results are cut', async () => {
    const rows = JSON.stringify(Array.from({ length: 40 }, (_, id) => ({ id })));
    expect(await answerTo(rows)).toContain('... and 30 more.');
    expect(await answerTo('line\n'.repeat(100))).toContain('... and 76 more lines.');
  });
});

describe('what it says of itself', () => {
  test('that it is a demo, and what can be asked, from the tools that are there', async () => {
    const { text } = await say('What can you do?');
    expect(text).toContain('**demo model**');
    expect(text).toContain(
      '| `post_letter` | Sends a letter to a mail address. | Post letter to ada@example.com',
    );
    expect((await say('Hi', { tools: [] })).text).toContain("effect: 'write'");
  });
});

describe('gives an instance of the schema that is asked for', () => {
  const schemas: Readonly<Record<string, JsonObject>> = {
    'a person': {
      type: 'object',
      properties: {
        name: string,
        email: { type: 'string', format: 'email' },
        age: { type: 'integer', minimum: 0 },
        role: { enum: ['admin', 'user'] },
        born: { anyOf: [{ type: 'null' }, { type: 'string', format: 'date' }] },
      },
      required: ['name', 'email', 'age', 'role', 'born'],
      additionalProperties: false,
    },
    'bounds and nesting': {
      type: 'object',
      properties: {
        score: { type: 'number', exclusiveMinimum: 3, maximum: 10, multipleOf: 0.5 },
        code: { type: 'string', minLength: 60, maxLength: 80 },
        list: {
          type: 'array',
          minItems: 2,
          items: {
            type: 'object',
            properties: { at: { type: 'string', format: 'date-time' } },
            required: ['at'],
          },
        },
        tree: { $ref: '#/$defs/node' },
        fixed: { const: 7 },
        ok: { type: ['boolean', 'null'] },
      },
      required: ['score', 'code', 'list', 'tree', 'fixed', 'ok'],
      $defs: {
        node: {
          type: 'object',
          properties: {
            name: string,
            children: { type: 'array', items: { $ref: '#/$defs/node' } },
          },
          required: ['name', 'children'],
          additionalProperties: false,
        },
      },
    },
    'a list': { type: 'array', items: { type: 'integer' }, minItems: 1 },
  };

  test.each(Object.entries(schemas))('%s', async (_, schema) => {
    const { text } = await say('Ada Lovelace, ada@example.com, is 36', {
      output: { name: 'answer', schema },
      tools: [],
    });
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const value: unknown = JSON.parse(text);
    ajv.validate(schema, value);
    expect(ajv.errors ?? []).toEqual([]);
  });

  test('with what the message says', async () => {
    const output = { name: 'person', schema: schemas['a person'] as JsonObject };
    const { text } = await say('Ada Lovelace, ada@example.com, is 36', { output, tools: [] });
    expect(JSON.parse(text)).toMatchObject({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      age: 36,
    });
  });

  test('after the tools that the message asks for', async () => {
    const output = {
      name: 'answer',
      schema: { type: 'object', properties: { text: string }, required: ['text'] },
    };
    expect((await say('Read a.txt', { output })).calls).toHaveLength(1);
  });
});

test('bears messages of any kind and size', async () => {
  for (const unit of ['a', '(', 'a.', '1-', '" ', '. ', 'a and ', '\ud800', '/', '@']) {
    await say(`send a letter ${unit.repeat(50_000)}`);
  }
  const parts = [
    { type: 'image' as const, url: 'data:,' },
    { type: 'text' as const, text: 'read a.txt' },
  ];
  expect((await turn({ messages: [{ role: 'user', content: parts }], tools })).calls).toHaveLength(
    1,
  );
  expect((await turn({ messages: [], tools: [] })).text).toContain('demo model');
});
