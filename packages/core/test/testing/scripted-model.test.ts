import { describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../src/model/model-client.ts';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { type ScriptedModel, scriptedModel } from '../../src/testing/scripted-model.ts';
import { all } from './all.ts';

const add = { name: 'add', description: 'Adds', parameters: { type: 'object' } };
const ask = (content: string): ModelRequest => ({
  messages: [{ role: 'user', content }],
  tools: [add],
});
const open = () => new AbortController().signal;

async function turn(
  model: ScriptedModel,
  request = ask('Hi'),
  signal = open(),
): Promise<ModelEvent[]> {
  return all(model.stream(request, { signal }));
}

test('says a string word by word and an array piece by piece, then finishes', async () => {
  const model = scriptedModel([{ text: 'Hello big world' }, { text: ['Hel', '', 'lo'] }]);
  expect(await turn(model)).toEqual([
    { type: 'start', requestId: 'req_1' },
    { type: 'text', text: 'Hello' },
    { type: 'text', text: ' big' },
    { type: 'text', text: ' world' },
    {
      type: 'finish',
      reason: 'stop',
      responseId: 'response_1',
      model: 'scripted',
      usage: {
        inputTokens: 10,
        outputTokens: 3,
        totalTokens: 13,
        cachedTokens: 0,
        reasoningTokens: 0,
      },
      verbatim: null,
    },
  ]);
  const texts = (await turn(model))
    .filter((event) => event.type === 'text')
    .map(({ text }) => text);
  expect(texts).toEqual(['Hel', 'lo']);
  model.assertComplete();
});

test('keeps every white space of a text', async () => {
  const text = '  # Title\n\n- one\n- two  \n';
  const events = await turn(scriptedModel([{ text }]));
  expect(events.map((event) => (event.type === 'text' ? event.text : '')).join('')).toBe(text);
});

test('says reasoning, text, refusal and tool calls in this order, with ids of its own', async () => {
  const model = scriptedModel([
    {
      refusal: 'No',
      toolCalls: [
        { name: 'add', args: { a: 1 } },
        { name: 'add', argumentsText: '{"a":', id: 'x' },
      ],
      reasoning: 'Hm',
      text: 'Well',
      usage: { inputTokens: 5, cachedTokens: 4 },
    },
  ]);
  const events = await turn(model);
  expect(events.map((event) => event.type)).toEqual([
    'start',
    'reasoning',
    'text',
    'refusal',
    'tool_call',
    'tool_call',
    'finish',
  ]);
  expect(events.slice(4, 6)).toEqual([
    { type: 'tool_call', id: 'call_1_0', name: 'add', argumentsText: '{"a":1}', custom: false },
    { type: 'tool_call', id: 'x', name: 'add', argumentsText: '{"a":', custom: false },
  ]);
  expect(events.at(-1)).toMatchObject({
    reason: 'tool_calls',
    usage: { inputTokens: 5, outputTokens: 5, totalTokens: 10, cachedTokens: 4 },
  });
});

test('a function makes a turn of the request; requests are kept as they were', async () => {
  const model = scriptedModel([({ messages }, n) => ({ text: `${n}: ${messages.length}` })]);
  const messages = [{ role: 'user' as const, content: 'one' }];
  await turn(model, { messages, tools: [] });
  messages.push({ role: 'user', content: 'later' });
  expect(model.requests[0]?.messages).toEqual([{ role: 'user', content: 'one' }]);
});

test('a function instead of a list answers without end', async () => {
  const model = scriptedModel((_request, n) => ({ toolCalls: [{ name: 'add', args: { n } }] }));
  for (let n = 1; n <= 3; n++) {
    expect((await turn(model))[1]).toMatchObject({ argumentsText: `{"n":${n}}` });
  }
  model.assertComplete();
});

describe('faults', () => {
  test('an error at once comes before the start, so that it may be retried', async () => {
    const events = await turn(scriptedModel([{ error: { status: 429, retryAfterMs: 7_000 } }]));
    expect(events).toEqual([
      {
        type: 'error',
        error: {
          status: 429,
          code: null,
          type: 'server_error',
          message: 'The scripted model failed.',
          retryAfterMs: 7_000,
        },
      },
    ]);
  });

  test('an error after text comes last', async () => {
    const events = await turn(scriptedModel([{ text: 'So far', error: 'gone' }]));
    expect(events.map((event) => event.type)).toEqual(['start', 'text', 'text', 'error']);
    expect(events.at(-1)).toMatchObject({ error: { message: 'gone', status: 500 } });
  });

  test('a cut ends the stream without a last event', async () => {
    const events = await turn(scriptedModel([{ text: 'one two three', cutAfter: 2 }]));
    expect(events.map((event) => event.type)).toEqual(['start', 'text', 'text']);
  });

  test('a stall lasts until the request is aborted', async () => {
    const model = scriptedModel([{ text: 'one two three', stallAfter: 1 }]);
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of model.stream(ask('Hi'), { signal: controller.signal })) {
      seen.push(event.type);
      if (event.type === 'text') setImmediate(() => controller.abort());
    }
    expect(seen).toEqual(['start', 'text', 'error']);
  });

  test('an abort in mid-answer is heard before the next piece', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const model = scriptedModel([{ text: 'one two three' }]);
    for await (const event of model.stream(ask('Hi'), { signal: controller.signal })) {
      seen.push(event.type);
      if (event.type === 'text') controller.abort();
    }
    expect(seen).toEqual(['start', 'text', 'error']);
    expect(
      await turn(scriptedModel([{ text: 'a' }]), ask('Hi'), AbortSignal.abort()),
    ).toMatchObject([{ type: 'error', error: { code: 'aborted' } }]);
  });
});

describe('says what is wrong with the test', () => {
  test('a request past the end of the script', async () => {
    const model = scriptedModel([{ text: 'Hi' }]);
    await turn(model);
    expect(await turn(model, ask('And now?'))).toEqual([
      {
        type: 'error',
        error: {
          status: 400,
          code: 'script_exhausted',
          type: 'scripted_model',
          message:
            'scriptedModel: request 2 came, but the script has 1 turn. Its last message is user: "And now?". ' +
            'Add turn 2, or find out why the model was asked again.',
        },
      },
    ]);
    expect(() => model.assertComplete()).toThrow('request 2 came, but the script has 1 turn');
  });

  test('turns that nobody asked for', async () => {
    const model = scriptedModel([{ text: 'Hi' }, { toolCalls: [{ name: 'add' }] }, () => ({})]);
    await turn(model);
    expect(() => model.assertComplete()).toThrow(
      'scriptedModel: 1 request came, so 2 of 3 turns were never asked for:\n' +
        '  turn 2: {"toolCalls":[{"name":"add"}]}\n  turn 3: (a function)'.replace('"(', '('),
    );
  });

  test('a call of a tool that is not offered, unless that is the test', async () => {
    const call = { toolCalls: [{ name: 'ad' }] };
    const model = scriptedModel([call, { ...call, unofferedTools: true }]);
    expect(await turn(model)).toMatchObject([
      {
        error: {
          code: 'tool_not_offered',
          message:
            'scriptedModel: turn 1 calls "ad", but the request offers add. Set unofferedTools: true if that is the test.',
        },
      },
    ]);
    expect((await turn(model))[1]).toMatchObject({ type: 'tool_call', name: 'ad' });
  });

  test('a turn function that throws, such as one with assertions', async () => {
    const model = scriptedModel([() => expect.fail('wrong prompt')]);
    expect(await turn(model)).toMatchObject([
      { error: { code: 'script_threw', message: expect.stringContaining('wrong prompt') } },
    ]);
  });

  test.each([
    [[{ txet: 'Hi' }], 'script[0].txet is not a field of a turn; it has reasoning, text'],
    [[{ text: 5 }], 'script[0].text must be a string or an array of strings'],
    [['Hi'], "script[0] must be a turn such as { text: 'Hello' }"],
    [[{ toolCalls: [{ args: {} }] }], 'script[0].toolCalls[0] must be { name, args }'],
    [[{}, { stallAfter: -1 }], 'script[1].stallAfter must be a number of pieces from 0'],
    ['Hi', 'script must be an array of turns or a function'],
  ])('a mistake in the script: %j', (script, message) => {
    const make = () => scriptedModel(script as never);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
