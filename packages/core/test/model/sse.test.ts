import { StringDecoder } from 'node:string_decoder';
import { describe, expect, test } from 'vitest';
import { SseReader } from '../../src/model/sse.ts';
import { randomSizes } from './random.ts';

function read(slices: Iterable<string>, limit?: number): [string, string][] {
  const events: [string, string][] = [];
  const reader = new SseReader({ event: (data, name) => events.push([name, data]) }, limit);
  for (const slice of slices) reader.push(slice);
  reader.end();
  return events;
}

/** Cuts bytes anywhere, as a socket does, and decodes them as a socket's reader does. */
function* cut(text: string, sizes: Iterator<number>): Generator<string> {
  const bytes = Buffer.from(text);
  const decoder = new StringDecoder('utf8');
  for (let at = 0; at < bytes.length; ) {
    const size = sizes.next().value as number;
    yield decoder.write(bytes.subarray(at, at + size));
    at += size;
  }
  yield decoder.end();
}

describe('the SSE reader', () => {
  test.each([
    ['one event', 'data: a\n\n', [['', 'a']]],
    [
      'names',
      'event: x\ndata: a\n\ndata: b\n\n',
      [
        ['x', 'a'],
        ['', 'b'],
      ],
    ],
    ['several data lines', 'data: a\ndata:\ndata: b\n\n', [['', 'a\n\nb']]],
    ['data without a colon', 'data\n\n', [['', '']]],
    [
      'data without a space, and with two',
      'data:a\n\ndata:  b\n\n',
      [
        ['', 'a'],
        ['', ' b'],
      ],
    ],
    [
      'comments, ids, retry and unknown fields',
      ': hi\nid: 1\nretry: 5\nfoo: x\ndata: a\n\n',
      [['', 'a']],
    ],
    ['events without data', 'event: ping\n\ndata: a\n\n', [['', 'a']]],
    [
      'a missing final blank line',
      'data: a\n\ndata: b\n',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'a missing final line end',
      'data: a\n\ndata: b',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    ['a byte order mark', '\uFEFFdata: a\n\n', [['', 'a']]],
    [
      'CRLF',
      'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n',
      [
        ['x', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'CR',
      'data: a\r\rdata: b\r\r',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    [
      'mixed line ends',
      'data: a\r\n\ndata: b\r\r\ndata: c\n\r\n',
      [
        ['', 'a'],
        ['', 'b'],
        ['', 'c'],
      ],
    ],
    ['nothing', '', []],
  ])('reads %s, whole and character by character', (_, stream, expected) => {
    expect(read([stream])).toEqual(expected);
    expect(read(stream)).toEqual(expected);
  });

  test('reads the same however the bytes are cut', () => {
    const words = [
      'data: ',
      'event: ',
      '\n',
      '\r\n',
      '\r',
      '\n\n',
      'ä',
      '🙂',
      '{"a":1}',
      ': c',
      'x',
      ' ',
    ];
    const pick = randomSizes(1, 0, words.length - 1);
    for (let round = 0; round < 500; round += 1) {
      const stream = Array.from({ length: 60 }, () => words[pick.next().value]).join('');
      const once = read([stream]);
      expect(read(cut(stream, randomSizes(round, 1, 1 + (round % 9))))).toEqual(once);
    }
  });

  test('reads a line of 32 MB in slices in linear time', () => {
    const slice = 'x'.repeat(64 * 1024);
    const slices = ['data: ', ...Array.from({ length: 512 }, () => slice), '\n\n'];
    expect(read(slices)[0]?.[1]).toHaveLength(512 * slice.length);
  });

  test('gives up on a line or an event over the limit', () => {
    expect(() => read(['data: 1234', '56789'], 10)).toThrow(RangeError);
    expect(() => read(['data: 12345\ndata: 67890\n\n'], 10)).toThrow(/longer than 10 characters/);
    expect(read(['data: 1234\n\n'], 10)).toEqual([['', '1234']]);
  });
});
