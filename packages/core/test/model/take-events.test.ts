import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { openaiModel } from '../../src/model/openai-model.ts';
import { takeEvents } from '../../src/model/take-events.ts';
import { chatDelta, frames, loopback, sse } from './loopback.ts';

const request = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
const hello = sse(
  chatDelta({ content: 'Hel' }),
  chatDelta({ content: 'lo' }),
  chatDelta({}, 'stop'),
  '[DONE]',
);

function streamOf(baseURL: string) {
  const model = openaiModel({ model: 'm', api: 'chat', baseURL, apiKey: 'key' });
  return () => model.stream(request, { signal: new AbortController().signal });
}

/** Takes everything up to an event of this type. */
function upTo(last: ModelEvent['type'] | 'nothing') {
  const types: string[] = [];
  const take = ({ type }: ModelEvent) => types.push(type) > 0 && type === last;
  return { types, take };
}

describe('takeEvents', () => {
  test('hands over every event of our own client, and says that there was enough', async () => {
    const { baseURL } = await loopback(hello);
    const { types, take } = upTo('finish');
    expect(await takeEvents(streamOf(baseURL)(), take)).toBe(true);
    expect(types).toEqual(['start', 'text', 'text', 'finish']);
  });

  test('says when a stream ended before there was enough', async () => {
    const { baseURL } = await loopback(hello);
    const { types, take } = upTo('nothing');
    expect(await takeEvents(streamOf(baseURL)(), take)).toBe(false);
    expect(types).toEqual(['start', 'text', 'text', 'finish']);
  });

  test('leaves the connection for the next turn once the turn was whole', async () => {
    const { baseURL, server } = await loopback(hello);
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const stream = streamOf(baseURL);
    for (let turn = 0; turn < 3; turn += 1) await takeEvents(stream(), upTo('finish').take);
    expect(connections).toBe(1);
  });

  test.each([
    ['has enough', () => true, true],
    [
      'throws',
      () => {
        throw new Error('too much');
      },
      'too much',
    ],
  ])(
    'hands nothing more over and closes the connection when `take` %s in mid-answer',
    async (...given) => {
      const [, decide, outcome] = given;
      const left = Promise.withResolvers<unknown>();
      const { baseURL } = await loopback((response) => {
        left.resolve(once(response, 'close'));
        response.writeHead(200);
        response.write(frames(chatDelta({ content: 'a' }), chatDelta({ content: 'b' })));
      });
      const texts: string[] = [];
      const taken = takeEvents(streamOf(baseURL)(), (event) => {
        if (event.type !== 'text') return false;
        texts.push(event.text);
        return decide();
      });
      expect(await taken.catch(({ message }: Error) => message)).toBe(outcome);
      await left.promise;
      expect(texts).toEqual(['a']);
    },
  );

  test('takes what is left of a stream that somebody has begun to read', async () => {
    const { baseURL } = await loopback(hello);
    const stream = streamOf(baseURL)();
    const iterator = stream[Symbol.asyncIterator]();
    // With the first text the rest has arrived as well.
    expect((await iterator.next()).value?.type).toBe('start');
    expect((await iterator.next()).value?.type).toBe('text');
    const { types, take } = upTo('finish');
    expect(await takeEvents(stream, take)).toBe(true);
    expect(types).toEqual(['text', 'finish']);
  });

  test('takes any other stream, and leaves it when there was enough', async () => {
    const left = Promise.withResolvers<string>();
    async function* other(): AsyncGenerator<ModelEvent> {
      try {
        yield { type: 'progress' };
        yield { type: 'text', text: 'a' };
        yield { type: 'text', text: 'b' };
      } finally {
        left.resolve('left');
      }
    }
    const { types, take } = upTo('text');
    expect(await takeEvents(other(), take)).toBe(true);
    expect(await left.promise).toBe('left');
    expect(types).toEqual(['progress', 'text']);
  });
});
