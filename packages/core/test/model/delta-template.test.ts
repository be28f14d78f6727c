import { describe, expect, test } from 'vitest';
import { DeltaTemplate } from '../../src/model/delta-template.ts';

const chunk = (text: string, more: object = {}) =>
  JSON.stringify({
    created: 1,
    choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
    ...more,
  });

function learned(data: string, text: string, field = '"content":'): DeltaTemplate {
  const template = new DeltaTemplate(field);
  template.learn(data, text);
  return template;
}

describe('a delta template', () => {
  test.each(['', 'b', ' a much longer text than a short slice', 'line\nbreak', 'ü🙂', '\u2028'])(
    'gives the text that parsing gives: %j',
    (text) => expect(learned(chunk('a'), 'a').match(chunk(text))).toBe(text),
  );

  test.each(['say "hi"', '"', 'ends with \\', '","x":"', '\\"', '{\\"a\\\\":\\"', '\\\\'])(
    'is not misled by escaped quotes and backslashes: %j',
    (text) => {
      expect(learned(chunk('a'), 'a').match(chunk(text))).toBe(text);
      expect(learned(chunk(text), text).match(chunk('b'))).toBe('b');
    },
  );

  test('tells the number behind a mark of its own, which may vary', () => {
    const event = (index: number, text: string) =>
      JSON.stringify({
        choices: [{ index: 0, delta: { tool_calls: [{ index, function: { arguments: text } }] } }],
      });
    const template = new DeltaTemplate('"arguments":', '"tool_calls":[{"index":');
    template.learn(event(0, '{"'), '{"');
    expect([template.match(event(12, '":"')), template.counter]).toEqual(['":"', 12]);
    expect([template.match(event(3, '')), template.counter]).toEqual(['', 3]);
  });

  test('matches nothing before it has learned', () => {
    expect(new DeltaTemplate('"content":').match(chunk('a'))).toBeUndefined();
  });

  test('lets a counter, a time and padding vary', () => {
    const event = (n: number, text: string, pad: string) =>
      `{"type":"t","sequence_number":${n},"delta":"${text}","obfuscation":"${pad}","created":${n}}`;
    expect(learned(event(1, 'a', 'xyz'), 'a', '"delta":').match(event(10, 'b', ''))).toBe('b');
  });

  test.each([
    [
      'a finish reason',
      JSON.stringify({
        created: 1,
        choices: [{ index: 0, delta: { content: 'b' }, finish_reason: 'stop' }],
      }),
    ],
    [
      'another choice',
      JSON.stringify({
        created: 1,
        choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }],
      }),
    ],
    ['more after the end', `${chunk('b')}x`],
    ['less than the end', chunk('b').slice(0, -1)],
    ['another field', chunk('b', { usage: {} })],
    ['a number that is none', chunk('b').replace('"created":1', '"created":-')],
  ])('does not match an event with %s', (_, event) => {
    expect(learned(chunk('a'), 'a').match(event)).toBeUndefined();
  });

  test('does not learn where its field is named twice, or says something else', () => {
    const twice = '{"content":"a","x":{"content":"a"}}';
    expect(learned(twice, 'a').match(twice)).toBeUndefined();
    expect(learned(chunk('a'), 'b').match(chunk('b'))).toBeUndefined();
  });

  test('gives up on streams whose events are never alike', () => {
    const template = new DeltaTemplate('"content":');
    for (let n = 0; n < 20; n += 1) template.learn(chunk('a', { id: n }), 'a');
    expect(template.match(chunk('b', { id: 19 }))).toBeUndefined();
  });
});
