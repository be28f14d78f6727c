import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import type { OpenAiReply } from '../../src/testing/openai-reply.ts';
import {
  type OpenAiReplyFunction,
  type OpenAiServer,
  startOpenAiServer,
} from '../../src/testing/openai-server.ts';
import { all } from './all.ts';

const servers: OpenAiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(reply: readonly OpenAiReply[] | OpenAiReplyFunction) {
  const server = await startOpenAiServer({ reply });
  servers.push(server);
  // Broken streams are what is tested here: the client need not tell the console.
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: server.baseURL,
    maxRetries: 0,
    logLevel: 'off',
  });
  const chat = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] };
  return {
    server,
    client,
    chatStream: () =>
      client.chat.completions.create({
        ...chat,
        stream: true,
        stream_options: { include_usage: true },
      }),
    chatJson: () => client.chat.completions.create(chat),
    responsesStream: () => client.responses.create({ model: 'm', input: 'Hi', stream: true }),
    responsesJson: () => client.responses.create({ model: 'm', input: 'Hi' }),
  };
}

type ChatChunk = OpenAI.Chat.Completions.ChatCompletionChunk;
const textOf = (chunks: readonly ChatChunk[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

/** What arrived before a stream failed, and how it failed. */
async function until<T>(stream: AsyncIterable<T>): Promise<{ seen: T[]; failure: unknown }> {
  const seen: T[] = [];
  try {
    for await (const item of stream) seen.push(item);
    return { seen, failure: undefined };
  } catch (failure) {
    return { seen, failure };
  }
}

const everything: OpenAiReply = {
  reasoning: 'Let me think',
  text: 'Grüße, 世界 😀',
  toolCalls: [
    { name: 'add', args: { a: 1, b: 'zwei' } },
    { name: 'math', argumentsText: '4 + 4', custom: true },
  ],
  usage: { inputTokens: 7, outputTokens: 9, cachedTokens: 3, reasoningTokens: 2 },
};

describe('the same reply, read by the openai client', () => {
  test('as a stream of Chat Completions', async () => {
    const { chatStream, server } = await start([everything]);
    const chunks = await all(await chatStream());
    expect(textOf(chunks)).toBe('Grüße, 世界 😀');
    const calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    const ofFirst = calls.filter((call) => call.index === 0);
    expect(ofFirst[0]).toMatchObject({
      id: 'call_1_0',
      type: 'function',
      function: { name: 'add' },
    });
    expect(ofFirst.map((call) => call.function?.arguments).join('')).toBe('{"a":1,"b":"zwei"}');
    expect(calls.find((call) => call.index === 1)).toMatchObject({ type: 'custom' });
    expect(chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason).toBe(
      'tool_calls',
    );
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 7,
        completion_tokens: 9,
        total_tokens: 16,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    });
    expect(server.requests).toMatchObject([
      { n: 1, api: 'chat', path: '/v1/chat/completions', stream: true, body: { model: 'm' } },
    ]);
  });

  test('as a Chat Completion', async () => {
    const { chatJson } = await start([everything, { refusal: 'I cannot do that.' }]);
    const { choices, usage } = await chatJson();
    expect(choices[0]).toMatchObject({
      message: {
        content: 'Grüße, 世界 😀',
        reasoning_content: 'Let me think',
        tool_calls: [
          {
            id: 'call_1_0',
            type: 'function',
            function: { name: 'add', arguments: '{"a":1,"b":"zwei"}' },
          },
          { id: 'call_1_1', type: 'custom', custom: { name: 'math', input: '4 + 4' } },
        ],
      },
      finish_reason: 'tool_calls',
    });
    expect(usage?.total_tokens).toBe(16);
    expect((await chatJson()).choices[0]).toMatchObject({
      message: { content: null, refusal: 'I cannot do that.' },
      finish_reason: 'stop',
    });
  });

  test('as a stream of Responses, whose last event repeats the whole', async () => {
    const { responsesStream } = await start([everything]);
    const events = await all(await responsesStream());
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    expect(deltas.map((event) => event.delta).join('')).toBe('Grüße, 世界 😀');
    const last = events.at(-1);
    if (last?.type !== 'response.completed') throw new Error(`ended with ${last?.type}`);
    expect(last.response.output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'Let me think' }] },
      { type: 'message', content: [{ type: 'output_text', text: 'Grüße, 世界 😀' }] },
      { type: 'function_call', call_id: 'call_1_0', name: 'add', arguments: '{"a":1,"b":"zwei"}' },
      { type: 'custom_tool_call', call_id: 'call_1_1', name: 'math', input: '4 + 4' },
    ]);
    expect(last.response.usage).toMatchObject({
      input_tokens: 7,
      output_tokens: 9,
      total_tokens: 16,
    });
    const done = events.filter((event) => event.type === 'response.output_item.done');
    expect(done.map((event) => event.item)).toEqual(last.response.output);
  });

  test('as a response', async () => {
    const { responsesJson } = await start([everything]);
    const response = await responsesJson();
    expect(response).toMatchObject({
      status: 'completed',
      output_text: 'Grüße, 世界 😀',
      model: 'm',
    });
    expect(response.output.map((item) => item.type)).toEqual([
      'reasoning',
      'message',
      'function_call',
      'custom_tool_call',
    ]);
  });

  test.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const)('finish %s', async (finishReason, reason) => {
    const { chatJson, responsesStream } = await start(() => ({ text: 'cut', finishReason }));
    expect((await chatJson()).choices[0]?.finish_reason).toBe(finishReason);
    const last = (await all(await responsesStream())).at(-1);
    expect(last).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason } },
    });
  });
});

describe('faults', () => {
  test.each([
    { slice: 1 },
    { slice: { max: 7, seed: 5 } },
    { newline: 'crlf' },
    { newline: 'mixed' },
    { comments: true },
    { hugeLine: 1_000_000 },
  ] satisfies OpenAiReply[])('the turn is whole with %j', async (fault) => {
    const { chatStream, responsesStream } = await start(() => ({ ...everything, ...fault }));
    expect(textOf(await all(await chatStream()))).toBe('Grüße, 世界 😀');
    expect((await all(await responsesStream())).at(-1)?.type).toBe('response.completed');
  });

  test('slices of one byte arrive as single bytes', async () => {
    const { server } = await start([{ text: 'Hi', slice: 1 }]);
    const response = await fetch(`${server.baseURL}/chat/completions`, {
      method: 'POST',
      body: '{"stream":true}',
    });
    const sizes: number[] = [];
    for await (const chunk of response.body ?? []) sizes.push((chunk as Uint8Array).length);
    expect(sizes.filter((size) => size === 1).length / sizes.length).toBeGreaterThan(0.9);
  });

  test('a stall sends its pieces and then nothing until the client leaves', async () => {
    const { chatStream, server } = await start([{ text: 'one two three', stallAfter: 2 }]);
    const stream = await chatStream();
    let text = '';
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (text === 'one two') stream.controller.abort();
    }
    expect(await server.requests[0]?.closed).toBe('left');
    expect(text).toBe('one two');
  });

  test('a stall ends when the server is closed', async () => {
    const { chatStream, server } = await start([{ text: 'one two', stallAfter: 1 }]);
    const reading = until(await chatStream());
    await server.close();
    const { failure } = await reading;
    expect(failure).toBeInstanceOf(Error);
  });

  test('a cut tears the connection after its pieces', async () => {
    const { chatStream, server } = await start([{ text: 'one two three', cutAfter: 2 }]);
    const { seen, failure } = await until(await chatStream());
    expect(textOf(seen)).toBe('one two');
    expect(failure).toBeInstanceOf(Error);
    expect(await server.requests[0]?.closed).toBe('left');
  });

  test('a cut after bytes sends exactly these', async () => {
    const { server } = await start((request) => ({
      text: 'one two',
      cutAfterBytes: request.n * 100,
    }));
    for (const bytes of [100, 200]) {
      const response = await fetch(`${server.baseURL}/responses`, {
        method: 'POST',
        body: '{"stream":true}',
      });
      const { seen, failure } = await until((response.body ?? []) as AsyncIterable<Uint8Array>);
      expect(seen.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(bytes);
      expect(failure).toBeInstanceOf(Error);
    }
  });

  test('an early end closes the body in good order without the last events', async () => {
    const { chatStream } = await start([{ text: 'one two three', endAfter: 1 }]);
    const { seen, failure } = await until(await chatStream());
    expect(textOf(seen)).toBe('one');
    expect(failure).toBeUndefined();
    expect(seen.at(-1)?.choices[0]?.finish_reason).toBeNull();
  });

  test('an error inside the stream', async () => {
    const reply = {
      text: 'one two',
      errorAfter: 1,
      error: { message: 'overloaded', code: 'server_error' },
    };
    const { chatStream, responsesStream } = await start(() => reply);
    const chat = await until(await chatStream());
    expect(textOf(chat.seen)).toBe('one');
    expect(chat.failure).toMatchObject({ message: expect.stringContaining('overloaded') });
    const responses = await until(await responsesStream());
    expect(responses.failure).toMatchObject({ message: expect.stringContaining('overloaded') });
  });

  test('a malformed event among good ones', async () => {
    const { chatStream } = await start([{ text: 'one two', malformedAfter: 1 }]);
    const { seen, failure } = await until(await chatStream());
    expect(textOf(seen)).toBe('one');
    expect(failure).toBeInstanceOf(SyntaxError);
  });

  test('an endless answer ends when the client leaves', async () => {
    const { chatStream, server } = await start([{ text: 'on and ', endless: true }]);
    const stream = await chatStream();
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 500) break;
    expect(await server.requests[0]?.closed).toBe('left');
  });

  test.each([
    [
      { status: 429, retryAfter: 7 },
      { status: 429, code: 'rate_limit_exceeded', type: 'requests' },
    ],
    [{ status: 401 }, { status: 401, code: 'invalid_api_key' }],
    [
      { status: 500, error: { message: 'Oh no' } },
      { status: 500, type: 'server_error', message: '500 Oh no' },
    ],
  ] as const)('status %j', async (reply, error) => {
    const { chatStream, responsesJson } = await start(() => reply);
    await expect(chatStream()).rejects.toMatchObject(error);
    await expect(responsesJson()).rejects.toMatchObject(error);
  });

  test('Retry-After is sent', async () => {
    const { chatJson } = await start([{ status: 429, retryAfter: 7 }]);
    const failure = await chatJson().catch((reason: unknown) => reason);
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toBe('7');
  });

  test('a dropped connection, and a refused one that is accepted again', async () => {
    const { chatJson, server } = await start([{ drop: true }, { text: 'back' }]);
    await expect(chatJson()).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
    await server.refuseConnections();
    await expect(chatJson()).rejects.toMatchObject({ cause: { cause: { code: 'ECONNREFUSED' } } });
    await server.acceptConnections();
    expect((await chatJson()).choices[0]?.message.content).toBe('back');
  });

  test('latency before the headers outlasts a client that waits less', async () => {
    const { client, server } = await start([{ text: 'late', latency: { headers: 60_000 } }]);
    const call = client.responses.create({ model: 'm', input: 'Hi' }, { timeout: 30 });
    await expect(call).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    expect(await server.requests[0]?.closed).toBe('left');
  });

  test('latency before pieces delays them', async () => {
    const { chatStream } = await start([{ text: 'a b', latency: { firstPiece: 20, piece: 20 } }]);
    const started = performance.now();
    expect(textOf(await all(await chatStream()))).toBe('a b');
    expect(performance.now() - started).toBeGreaterThan(50);
  });

  test('raw bytes are served as they are', async () => {
    const body = Buffer.from(
      'data: {"choices":[{"index":0,"delta":{"content":"raw"}}]}\r\n\r\ndata: [DONE]\r\n\r\n',
    );
    const { chatStream } = await start([
      { raw: { body, contentType: 'text/event-stream' }, slice: 3 },
    ]);
    expect(textOf(await all(await chatStream()))).toBe('raw');
  });

  test('a JSON body can be cut and stalled too', async () => {
    const { chatJson, client } = await start([
      { text: 'a', cutAfter: 0 },
      { text: 'a', stallAfter: 0 },
    ]);
    await expect(chatJson()).rejects.toThrow(/terminated|Premature|closed|Connection/);
    const controller = new AbortController();
    const stalled = client.responses.create(
      { model: 'm', input: 'Hi' },
      { signal: controller.signal },
    );
    setImmediate(() => controller.abort());
    await expect(stalled).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
  });
});

describe('says what is wrong with the test', () => {
  test('a request past the end of the list', async () => {
    const { chatJson } = await start([{ text: 'Hi' }]);
    await chatJson();
    await expect(chatJson()).rejects.toMatchObject({
      status: 400,
      code: 'script_exhausted',
      message: expect.stringContaining('request 2 came, but there are 1 replies'),
    });
  });

  test('a path that is none of the two, a body that is no JSON, a function that throws', async () => {
    const { server } = await start(() => {
      throw new Error('my mistake');
    });
    const post = async (path: string, body: string) => {
      const response = await fetch(`${server.baseURL}${path}`, { method: 'POST', body });
      return `${response.status} ${await response.text()}`;
    };
    expect(await post('/completions', '{}')).toMatch(
      /^404 .*No such path here: POST \/v1\/completions/,
    );
    expect(await post('/responses', '{')).toMatch(/^400 .*not a JSON object/);
    expect(await post('/responses', '{}')).toMatch(/^500 .*my mistake/);
  });

  test.each([
    [[{ stall: 1 }], 'reply[0].stall is not a field of a reply; it has reasoning'],
    [[{}, { status: 200 }], 'reply[1].status is not acceptable: 200'],
    ['Hi', 'reply must be an array of replies or a function'],
  ])('a mistake in a reply: %j', async (reply, message) => {
    await expect(startOpenAiServer({ reply: reply as never })).rejects.toThrow(message);
  });
});

test("closing is prompt, may be repeated, and ends the process's hold on the port", async () => {
  const { server, chatStream } = await start(() => ({ text: 'a', stallAfter: 0 }));
  const streams = await Promise.all([chatStream(), chatStream(), chatStream()]);
  const started = performance.now();
  await server.close();
  await server.close();
  expect(performance.now() - started).toBeLessThan(4_000);
  for (const stream of streams) expect((await until(stream)).failure).toBeInstanceOf(Error);
});

describe('answers in the background', () => {
  const asked = { model: 'm', input: 'Hi', stream: true, background: true } as const;

  test('are read to their end by whoever has their id, from any event on', async () => {
    const { server, client } = await start([{ text: ['one ', 'two'], cutAfter: 1 }]);
    const first = await all(await client.responses.create(asked)).catch((reason: Error) => reason);
    expect(first).toBeInstanceOf(Error);
    const whole = await all(await client.responses.retrieve('resp_1', { stream: true }));
    expect(whole.at(-1)).toMatchObject({ response: { status: 'completed', background: true } });
    const query = { stream: true, starting_after: 3 } as const;
    const rest = await all(await client.responses.retrieve('resp_1', query));
    expect(rest).toEqual(whole.filter((event) => event.sequence_number > 3));
    expect(server.background).toMatchObject([{ responseId: 'resp_1', readsAfter: [null, 3] }]);
  });

  test('are gone once they are cancelled or forgotten', async () => {
    const { server, client } = await start([{ text: 'one' }]);
    await all(await client.responses.create(asked));
    expect(await client.responses.cancel('resp_1')).toMatchObject({ status: 'cancelled' });
    const read = () => client.responses.retrieve('resp_1', { stream: true });
    await expect(read()).rejects.toMatchObject({ status: 400 });
    server.forgetBackground();
    await expect(read()).rejects.toMatchObject({ status: 404 });
  });
});
