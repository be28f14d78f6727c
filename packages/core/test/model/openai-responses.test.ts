import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { ResponsesReader } from '../../src/model/openai-responses.ts';
import { completed, message } from './loopback.ts';

function read(...events: readonly (object | string)[]): ModelEvent[] {
  const out: ModelEvent[] = [];
  const reader = new ResponsesReader({ push: (event) => out.push(event), close: () => undefined });
  for (const event of events)
    reader.event(typeof event === 'string' ? event : JSON.stringify(event), '');
  if (!out.some(({ type }) => type === 'finish' || type === 'error')) reader.end();
  return out.filter(({ type }) => type !== 'progress');
}

const delta = (text: string) => ({ type: 'response.output_text.delta', delta: text });
const done = (index: number, item: object) => ({
  type: 'response.output_item.done',
  output_index: index,
  item,
});
const functionCall = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'f',
  arguments: '{}',
};
const reasoning = {
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ text: 'Hm.' }],
  encrypted_content: 'x',
};

describe('the reader of Responses', () => {
  test('streams text and gives the items back as they came', () => {
    const item = message('Hello');
    expect(read(delta('Hel'), delta('lo'), completed([item]))).toEqual([
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      {
        type: 'finish',
        reason: 'stop',
        responseId: 'resp_1',
        model: 'm',
        usage: null,
        verbatim: { api: 'responses', items: [item] },
      },
    ]);
  });

  test('sends what was not streamed', () => {
    expect(read(delta('Hel'), completed([message('Hello'), message('!')])).slice(0, 2)).toEqual([
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo!' },
    ]);
    expect(read(completed([reasoning, message('')]))[0]).toEqual({
      type: 'reasoning',
      text: 'Hm.',
    });
  });

  test('starts again where the whole answer is another one than was streamed', () => {
    expect(read(delta('lo'), completed([message('Hello')])).slice(0, 3)).toEqual([
      { type: 'text', text: 'lo' },
      { type: 'reset' },
      { type: 'text', text: 'Hello' },
    ]);
  });

  test('takes items from the stream where the end does not repeat them, in their order', () => {
    const events = read(done(1, functionCall), done(0, reasoning), completed([]));
    expect(events.slice(1)).toEqual([
      { type: 'tool_call', id: 'call_1', name: 'f', argumentsText: '{}', custom: false },
      expect.objectContaining({
        reason: 'tool_calls',
        verbatim: { api: 'responses', items: [reasoning, functionCall] },
      }),
    ]);
  });

  test('reads custom tool calls, refusals and unknown events', () => {
    const custom = { type: 'custom_tool_call', call_id: 'c', name: 'sql', input: 'select 1' };
    const refused = { type: 'message', content: [{ type: 'refusal', refusal: 'I cannot.' }] };
    const events = read(
      { type: 'response.refusal.delta', delta: 'I ' },
      { type: 'brand.new' },
      {},
      'nonsense',
      completed([custom, refused]),
    );
    expect(events.slice(0, 3)).toEqual([
      { type: 'refusal', text: 'I ' },
      { type: 'refusal', text: 'cannot.' },
      { type: 'tool_call', id: 'c', name: 'sql', argumentsText: 'select 1', custom: true },
    ]);
  });

  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ])('ends an answer that is incomplete for %s with %s', (reason, expected) => {
    const response = {
      status: 'incomplete',
      incomplete_details: { reason },
      output: [message('a')],
    };
    expect(read({ type: 'response.incomplete', response }).at(-1)).toMatchObject({
      reason: expected,
    });
  });

  test('ends a failed response with its error and its usage', () => {
    const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
    const response = {
      status: 'failed',
      error: { code: 'server_error', message: 'Sorry.' },
      usage,
    };
    expect(read(delta('a'), { type: 'response.failed', response }).at(-1)).toMatchObject({
      type: 'error',
      error: { status: null, code: 'server_error', message: 'Sorry.' },
      finish: { reason: 'error', usage: { totalTokens: 3 } },
    });
  });

  test('ends with an error of the stream, nested or flat, when nothing follows', () => {
    expect(read({ type: 'error', error: { code: 'a', message: 'b' } }).at(-1)).toMatchObject({
      error: { code: 'a', message: 'b' },
    });
    expect(read({ type: 'error', code: 'a', message: 'b' }).at(-1)).toMatchObject({
      error: { code: 'a', message: 'b' },
    });
  });

  test('takes a stream without result for cut', () => {
    expect(read(delta('a'), '[DONE]').at(-1)).toMatchObject({ error: { code: 'stream_cut' } });
  });
});
