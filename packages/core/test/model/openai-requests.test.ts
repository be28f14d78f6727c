import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/events/message.ts';
import type { ModelRequest } from '../../src/model/model-client.ts';
import { chatRequests } from '../../src/model/openai-chat-request.ts';
import { responsesRequests } from '../../src/model/openai-responses-request.ts';
import type { RequestSettings } from '../../src/model/request-settings.ts';

const settings: RequestSettings = {
  model: 'm',
  request: {},
  strict: undefined,
  background: false,
  systemRole: 'system',
};
const parameters = { type: 'object', properties: { a: { type: 'string' } } } as const;
const tools = [
  { name: 'f', description: 'F', parameters },
  { name: 'g', description: 'G', parameters },
];

const ask = (asked: Partial<ModelRequest>): ModelRequest => ({ messages: [], tools: [], ...asked });
const chat = (asked: Partial<ModelRequest>, more: Partial<RequestSettings> = {}) =>
  JSON.parse(chatRequests({ ...settings, ...more })(ask(asked)));
const responses = (asked: Partial<ModelRequest>, more: Partial<RequestSettings> = {}) =>
  JSON.parse(responsesRequests({ ...settings, ...more })(ask(asked)));

const parts: Message = {
  role: 'user',
  content: [
    { type: 'text', text: 'See' },
    { type: 'image', url: 'data:image/png;base64,AA==', detail: 'low' },
    { type: 'image', url: 'https://images.example/a.png' },
    { type: 'file', filename: 'a.pdf', data: 'data:application/pdf;base64,AA==' },
    { type: 'file', fileId: 'file_1' },
  ],
};
const loop: readonly Message[] = [
  { role: 'user', content: 'Go' },
  {
    role: 'assistant',
    content: '',
    toolCalls: [
      { id: 'c1', name: 'f', argumentsText: '{"a":"b"}' },
      { id: 'c2', name: 'sql', argumentsText: 'select 1', custom: true },
    ],
  },
  { role: 'tool', toolCallId: 'c1', name: 'f', content: 'one' },
  { role: 'tool', toolCallId: 'c2', name: 'sql', content: 'two', custom: true },
  { role: 'system', content: 'Be brief.' },
  { role: 'assistant', content: 'Hm.', refusal: 'No.' },
];

describe('requests of Chat Completions', () => {
  test('hold instructions, messages, calls and results', () => {
    expect(chat({ instructions: 'Help.', messages: loop })).toEqual({
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'Help.' },
        { role: 'user', content: 'Go' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":"b"}' } },
            { id: 'c2', type: 'custom', custom: { name: 'sql', input: 'select 1' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'one' },
        { role: 'tool', tool_call_id: 'c2', content: 'two' },
        { role: 'system', content: 'Be brief.' },
        { role: 'assistant', content: null, refusal: 'No.' },
      ].map((said) => (said.refusal === undefined ? said : { ...said, content: 'Hm.' })),
    });
  });

  test('hold text, images and files', () => {
    expect(chat({ messages: [parts] }).messages[0].content).toEqual([
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
      { type: 'file', file: { file_id: 'file_1' } },
    ]);
  });

  test('hold tools, choice, structured output, limit and the role that is asked for', () => {
    const output = { name: 'answer', schema: parameters };
    const body = chat(
      { instructions: 'Help.', tools, toolChoice: { name: 'g' }, output, maxOutputTokens: 5 },
      { systemRole: 'developer', strict: true },
    );
    expect(body).toMatchObject({
      messages: [{ role: 'developer' }],
      tool_choice: { type: 'function', function: { name: 'g' } },
      response_format: { type: 'json_schema', json_schema: { ...output, strict: true } },
      max_completion_tokens: 5,
    });
    expect(body.tools[0]).toEqual({
      type: 'function',
      function: { name: 'f', description: 'F', parameters, strict: true },
    });
  });
});

describe('requests of Responses', () => {
  test('hold instructions, messages, calls and results', () => {
    expect(responses({ instructions: 'Help.', messages: loop })).toEqual({
      model: 'm',
      stream: true,
      instructions: 'Help.',
      input: [
        { role: 'user', content: 'Go' },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":"b"}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'sql', input: 'select 1' },
        { type: 'function_call_output', call_id: 'c1', output: 'one' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: 'two' },
        { role: 'system', content: 'Be brief.' },
        {
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'Hm.' },
            { type: 'refusal', refusal: 'No.' },
          ],
        },
      ],
    });
  });

  test('hold text, images and files', () => {
    expect(responses({ messages: [parts] }).input[0].content).toEqual([
      { type: 'input_text', text: 'See' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_image', image_url: 'https://images.example/a.png', detail: 'auto' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
      { type: 'input_file', file_id: 'file_1' },
    ]);
  });

  test('hold tools, choice, limit, and structured output beside other settings of text', () => {
    const output = { name: 'answer', schema: parameters };
    const body = responses(
      { tools, toolChoice: 'required', output, maxOutputTokens: 5 },
      { request: { text: { verbosity: 'low' } } },
    );
    expect(body).toMatchObject({
      tool_choice: 'required',
      text: { format: { type: 'json_schema', ...output, strict: true }, verbosity: 'low' },
      max_output_tokens: 5,
    });
    expect(body.tools[1]).toEqual({
      type: 'function',
      name: 'g',
      description: 'G',
      parameters,
      strict: false,
    });
  });

  test('give back to the same API what it said, unchanged, and to the other what we made of it', () => {
    const items = [{ type: 'reasoning', id: 'rs_1' }, { type: 'web_search_call' }];
    const said: Message = {
      role: 'assistant',
      content: 'Hi',
      verbatim: { api: 'responses', items },
    };
    expect(responses({ messages: [said] }).input).toEqual(items);
    expect(chat({ messages: [said] }).messages).toEqual([{ role: 'assistant', content: 'Hi' }]);
    const own = { ...said, verbatim: { api: 'chat', items } };
    expect(chat({ messages: [own] }).messages).toEqual(items);
  });

  test('send only what follows the last answer with previous_response_id', () => {
    const asked = { messages: loop.slice(0, 3), extra: { previous_response_id: 'resp_1' } };
    expect(responses(asked)).toMatchObject({
      previous_response_id: 'resp_1',
      input: [{ type: 'function_call_output', call_id: 'c1', output: 'one' }],
    });
  });
});

describe('requests of both APIs', () => {
  test('let the parameters of the host win, those of the request most of all', () => {
    const request = { temperature: 0, top_p: 1, stream_options: undefined };
    const body = chat({ extra: { top_p: 0.5, stream: false } }, { request });
    expect(body).toEqual({ model: 'm', messages: [], stream: false, temperature: 0, top_p: 0.5 });
  });

  test('put tools of the provider first, and let them replace those of their name', () => {
    const hosted = [{ type: 'web_search' }, { type: 'function', name: 'f', defer_loading: true }];
    const body = responses(
      { tools, extra: { tools: hosted } },
      { request: { tools: [{ type: 'x' }] } },
    );
    expect(body.tools).toEqual([{ type: 'x' }, ...hosted, expect.objectContaining({ name: 'g' })]);
    expect(responses({ tools: [], extra: { tools: hosted } }).tools).toEqual(hosted);
  });

  test('say nothing of tools where there are none', () => {
    const body = chat({ toolChoice: 'auto' });
    expect(body).not.toHaveProperty('tools');
    expect(body).not.toHaveProperty('tool_choice');
  });

  test('write the definitions of an array once', () => {
    let read = 0;
    const counted = [
      {
        name: 'f',
        description: 'F',
        get parameters() {
          read += 1;
          return parameters;
        },
      },
    ];
    const write = responsesRequests(settings);
    const first = write(ask({ tools: counted }));
    expect(write(ask({ tools: counted }))).toBe(first);
    expect(read).toBe(1);
    write(ask({ tools: [...counted] }));
    expect(read).toBe(2);
  });

  test('replace lone surrogates and nothing that looks like them', () => {
    const content = 'a\ud800b \ude00 🙂 \\ud800 \\\ud800 {"x":"\\ud83d"}';
    const body = chat({
      messages: [{ role: 'user', content }],
      tools: [{ name: 'f', description: '\udfff', parameters }],
    });
    expect(body.messages[0].content).toBe(content.toWellFormed());
    expect(body.tools[0].function.description).toBe('\ufffd');
  });
});
