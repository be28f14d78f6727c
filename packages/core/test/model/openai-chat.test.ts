import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { ChatReader } from '../../src/model/openai-chat.ts';
import { chatDelta } from './loopback.ts';

const usage = { prompt_tokens: 3, completion_tokens: 2 };
const counted = {
  inputTokens: 3,
  outputTokens: 2,
  totalTokens: 5,
  cachedTokens: 0,
  reasoningTokens: 0,
};

/** What the reader makes of these events, without `progress`. */
function read(...events: readonly (object | string)[]): ModelEvent[] {
  const out: ModelEvent[] = [];
  const reader = new ChatReader({ push: (event) => out.push(event), close: () => undefined });
  for (const event of events)
    reader.event(typeof event === 'string' ? event : JSON.stringify(event));
  if (!out.some(({ type }) => type === 'finish' || type === 'error')) reader.end();
  return out.filter(({ type }) => type !== 'progress');
}

const calls = (...pieces: readonly object[]) => chatDelta({ tool_calls: pieces });
const call = (id: string | undefined, name: string | undefined, text: string, index?: number) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id }),
  function: { ...(name === undefined ? {} : { name }), arguments: text },
});
const ended = chatDelta({}, 'tool_calls');
const made = (events: readonly ModelEvent[]) =>
  events.flatMap((event) =>
    event.type === 'tool_call' ? [[event.id, event.name, event.argumentsText]] : [],
  );

describe('the reader of Chat Completions', () => {
  test('puts text together and says how it ended', () => {
    const events = read(
      chatDelta({ role: 'assistant', content: '' }),
      chatDelta({ content: 'Hel' }),
      chatDelta({ content: 'lo' }, 'stop'),
      { choices: [], usage },
      '[DONE]',
    );
    expect(events).toEqual([
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      {
        type: 'finish',
        reason: 'stop',
        responseId: 'chat_1',
        model: 'm',
        usage: counted,
        verbatim: null,
      },
    ]);
  });

  test.each([
    [
      'by index',
      [
        calls(call('a', 'f', '{', 0)),
        calls(call('b', 'g', '{}', 1)),
        calls(call(undefined, undefined, '}', 0)),
      ],
      [
        ['a', 'f', '{}'],
        ['b', 'g', '{}'],
      ],
    ],
    [
      'that use an index again',
      [calls(call('a', 'f', '{}', 0)), calls(call('b', 'g', '{}', 0))],
      [
        ['a', 'f', '{}'],
        ['b', 'g', '{}'],
      ],
    ],
    [
      'without index',
      [calls(call('a', 'f', '{')), calls(call(undefined, undefined, '}'))],
      [['a', 'f', '{}']],
    ],
    [
      'without index and id',
      [calls(call(undefined, 'f', '{}')), calls(call(undefined, 'g', '{}'))],
      [
        ['call_0', 'f', '{}'],
        ['call_1', 'g', '{}'],
      ],
    ],
    [
      'all in one delta without index',
      [calls(call(undefined, 'f', '{}'), call(undefined, 'f', '{"a":1}'))],
      [
        ['call_0', 'f', '{}'],
        ['call_1', 'f', '{"a":1}'],
      ],
    ],
    [
      'with an id that comes late',
      [calls(call(undefined, 'f', '', 0)), calls(call('a', undefined, '{}', 0))],
      [['a', 'f', '{}']],
    ],
    [
      'whose name is repeated',
      [calls(call('a', 'f', '{', 0)), calls(call('a', 'f', '}', 0))],
      [['a', 'f', '{}']],
    ],
    [
      'with arguments as an object',
      [
        chatDelta({
          tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
        }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
  ])('puts tool calls together %s', (_, pieces, expected) => {
    expect(made(read(...pieces, ended))).toEqual(expected);
  });

  test('puts arguments together that it need not parse, whatever comes between them', () => {
    const texts = ['{"path":"a.md","text":"', 'say \\"hi\\" \\\\', ' ü🙂 ', '\\n', '"}', '', '   '];
    const pieces = texts.flatMap((piece) => [
      calls(call(undefined, undefined, piece, 0)),
      calls(call(undefined, undefined, piece, 1)),
    ]);
    const disturbed = pieces.flatMap((piece) => [
      piece,
      chatDelta({ content: '.' }),
      calls(call(undefined, undefined, '<', 0), call(undefined, undefined, '>', 1)),
      calls({ index: 1, custom: { input: '+' } }),
    ]);
    const last = calls(call(undefined, undefined, '!', 1));
    const opened = [calls(call('a', 'f', '', 0)), calls(call('b', 'g', '', 1))];
    const whole = texts.join('');
    expect(made(read(...opened, ...pieces, last, ended))).toEqual([
      ['a', 'f', whole],
      ['b', 'g', `${whole}!`],
    ]);
    expect(made(read(...opened, ...disturbed, last, ended))).toEqual([
      ['a', 'f', texts.map((piece) => `${piece}<<`).join('')],
      ['b', 'g', `${texts.map((piece) => `>+${piece}>+`).join('')}!`],
    ]);
  });

  test.each([
    ['behind the function', (index: number, said: object) => ({ function: said, index })],
    ['as a string', (index: number, said: object) => ({ index: `${index}`, function: said })],
    ['not at all', (_: number, said: object) => ({ function: said })],
  ])('joins arguments to their call where the index is told %s', (_, element) => {
    const piece = (index: number, text: string) => calls(element(index, { arguments: text }));
    const opened = (index: number) =>
      calls({ id: `c${index}`, ...element(index, { name: 'f', arguments: '' }) });
    const events = [0, 1, 2].flatMap((index) => [
      opened(index),
      piece(index, '{'),
      piece(index, `"n":${index}`),
      piece(index, '}'),
    ]);
    expect(made(read(...events, ended)).map(([, , text]) => text)).toEqual([
      '{"n":0}',
      '{"n":1}',
      '{"n":2}',
    ]);
  });

  test('reads a custom tool call and a function call of old', () => {
    const custom = {
      index: 0,
      id: 'a',
      type: 'custom',
      custom: { name: 'sql', input: 'select 1' },
    };
    expect(read(calls(custom), ended)[0]).toMatchObject({
      custom: true,
      argumentsText: 'select 1',
    });
    const legacy = [
      chatDelta({ function_call: { name: 'f', arguments: '{' } }),
      chatDelta({ function_call: { arguments: '}' } }, 'function_call'),
    ];
    expect(made(read(...legacy))).toEqual([['call_0', 'f', '{}']]);
    expect(read(...legacy).at(-1)).toMatchObject({ reason: 'tool_calls' });
  });

  test('reads the first choice only, and chunks without choice, delta or sense', () => {
    const other = { choices: [{ index: 1, delta: { content: 'other' } }] };
    const events = read(
      other,
      {},
      { choices: null },
      { choices: [{ index: 0 }] },
      'not json',
      '7',
      'null',
      chatDelta({ content: 'mine' }, 'stop'),
    );
    expect(events.map(({ type }) => type)).toEqual(['text', 'finish']);
  });

  test('shows reasoning and refusals, as strings and as parts', () => {
    const thinking = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'c' }] },
      { type: 'text', text: 'd' },
    ];
    expect(
      read(
        chatDelta({ reasoning_content: 'a' }),
        chatDelta({ reasoning: 'b' }),
        chatDelta({ content: thinking }),
        chatDelta({ refusal: 'no' }, 'stop'),
      ).slice(0, -1),
    ).toEqual([
      { type: 'reasoning', text: 'a' },
      { type: 'reasoning', text: 'b' },
      { type: 'reasoning', text: 'c' },
      { type: 'text', text: 'd' },
      { type: 'refusal', text: 'no' },
    ]);
  });

  test('ends at an error in the stream', () => {
    const events = read(
      chatDelta({ content: 'a' }),
      { error: { message: 'overloaded', code: 502 } },
      chatDelta({ content: 'b' }),
    );
    expect(events).toEqual([
      { type: 'text', text: 'a' },
      { type: 'error', error: { status: null, code: '502', type: null, message: 'overloaded' } },
    ]);
  });

  test('takes a stream without finish reason for cut, and one without [DONE] for whole', () => {
    expect(read(chatDelta({ content: 'a' })).at(-1)).toMatchObject({
      error: { code: 'stream_cut' },
    });
    expect(read(chatDelta({ content: 'a' }, 'length')).at(-1)).toMatchObject({ reason: 'length' });
    expect(read(chatDelta({ content: 'a' }), '[DONE]').at(-1)).toMatchObject({ reason: null });
  });

  test('keeps what has to go back with the message, and nothing otherwise', () => {
    const detail = (text: string) => ({ type: 'reasoning.text', index: 0, text });
    const signed = { type: 'reasoning.text', index: 0, signature: 's' };
    const tool = {
      ...call('a', 'f', '{}', 0),
      extra_content: { google: { thought_signature: 't' } },
    };
    const events = read(
      chatDelta({ reasoning_details: [detail('x')] }),
      chatDelta({ reasoning_details: [detail('y')], reasoning_content: 'z' }),
      chatDelta({ reasoning_details: [signed], tool_calls: [tool] }, 'tool_calls'),
    );
    expect(events.at(-1)).toMatchObject({
      verbatim: {
        api: 'chat',
        items: [
          {
            role: 'assistant',
            content: null,
            reasoning_content: 'z',
            reasoning_details: [{ ...detail('xy'), signature: 's' }],
            tool_calls: [
              {
                id: 'a',
                type: 'function',
                function: { name: 'f', arguments: '{}' },
                extra_content: tool.extra_content,
              },
            ],
          },
        ],
      },
    });
    expect(read(chatDelta({ content: 'a', reasoning_content: 'z' }, 'stop')).at(-1)).toMatchObject({
      verbatim: null,
    });
  });
});
