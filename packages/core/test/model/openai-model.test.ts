import { getEventListeners, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { collectTurn } from '../../src/model/collect-turn.ts';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { type OpenAIModelOptions, openaiModel } from '../../src/model/openai-model.ts';
import { chatDelta, completed, frames, loopback, message, sse } from './loopback.ts';

const request = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
const never = () => new AbortController().signal;
const hello = sse(chatDelta({ content: 'Hello' }), chatDelta({}, 'stop'), '[DONE]');

function model(baseURL: string, more: Partial<OpenAIModelOptions> = {}) {
  return openaiModel({ model: 'm', api: 'chat', baseURL, apiKey: 'key', ...more });
}
const turnOf = (baseURL: string, more: Partial<OpenAIModelOptions> = {}) =>
  collectTurn(model(baseURL, more).stream(request, { signal: never() }));

afterEach(() => vi.unstubAllEnvs());

describe('openaiModel: options', () => {
  test.each([
    [undefined, /options must be an object/],
    [{}, /options\.model is missing/],
    [{ model: '' }, /options\.model must be a non-empty string/],
    [{ model: 'm', api: 'soap' }, /options\.api must be 'responses' or 'chat'/],
    [{ model: 'm', baseURL: 'localhost' }, /options\.baseURL must be an http\(s\) URL/],
    [{ model: 'm', apiKey: 7 }, /options\.apiKey/],
    [{ model: 'm', headers: { a: 1 } }, /options\.headers must be an object of strings/],
    [{ model: 'm', request: [] }, /options\.request must be a plain object/],
    [{ model: 'm', connectTimeoutMs: 0 }, /options\.connectTimeoutMs must be a positive number/],
    [{ model: 'm', baseUrl: 'http://x' }, /options\.baseUrl is not an option/],
  ])('refuses %j', (options, why) => {
    const wrong = () => openaiModel(options as unknown as OpenAIModelOptions);
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(why);
  });

  test('asks for a key, unless a base URL is set', () => {
    vi.stubEnv('OPENAI_API_KEY', '');
    vi.stubEnv('OPENAI_BASE_URL', '');
    expect(() => openaiModel({ model: 'm' })).toThrow(
      expect.objectContaining({ code: 'model_not_configured', field: 'apiKey' }),
    );
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1');
    expect(() => openaiModel({ model: 'm' })).not.toThrow();
  });
});

describe('openaiModel: a request', () => {
  test('goes to the path of its API with key, headers and body', async () => {
    const { baseURL, seen } = await loopback((response, request) =>
      (request.path.endsWith('responses') ? sse(completed([message('Hello')])) : hello)(
        response,
        request,
      ),
    );
    const headers = { 'x-team': 'a' };
    expect(await turnOf(baseURL, { headers, organization: 'o', project: 'p' })).toMatchObject({
      text: 'Hello',
    });
    expect(await turnOf(baseURL, { api: 'responses' })).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
    });
    expect(seen.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/responses']);
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer key',
      'content-type': 'application/json',
      'x-team': 'a',
      'openai-organization': 'o',
      'openai-project': 'p',
    });
    expect(seen[0]?.json).toMatchObject({ model: 'm', stream: true });
  });

  test('carries no authorization without a key, and the key of the moment with a function', async () => {
    vi.stubEnv('OPENAI_API_KEY', '');
    const { baseURL, seen } = await loopback(hello);
    await collectTurn(
      openaiModel({ model: 'm', api: 'chat', baseURL }).stream(request, { signal: never() }),
    );
    let uses = 0;
    const rotating = model(baseURL, { apiKey: async () => `key-${++uses}` });
    await collectTurn(rotating.stream(request, { signal: never() }));
    await collectTurn(rotating.stream(request, { signal: never() }));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer key-1',
      'Bearer key-2',
    ]);
  });

  test('is not sent before an event is asked for', async () => {
    const { baseURL, seen } = await loopback(hello);
    const stream = model(baseURL).stream(request, { signal: never() });
    expect(seen).toHaveLength(0);
    expect((await collectTurn(stream)).text).toBe('Hello');
    expect(seen).toHaveLength(1);
  });

  test('uses one connection for turns in a row', async () => {
    const { baseURL, server } = await loopback(hello);
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const client = model(baseURL);
    for (let turn = 0; turn < 3; turn += 1) {
      await collectTurn(client.stream(request, { signal: never() }));
    }
    expect(connections).toBe(1);
  });

  test('follows a redirect', async () => {
    const target = await loopback(hello);
    const { baseURL } = await loopback((response) => {
      response.writeHead(307, { location: `${target.baseURL}/chat/completions` }).end();
    });
    expect(await turnOf(baseURL)).toMatchObject({ text: 'Hello', error: null });
  });

  test('reads through a fetch of the host as well', async () => {
    const { baseURL } = await loopback(
      sse(chatDelta({ content: 'Grüße 🙂' }), chatDelta({}, 'stop')),
    );
    let used = 0;
    const fetch: typeof globalThis.fetch = (...args) => {
      used += 1;
      return globalThis.fetch(...args);
    };
    expect(await turnOf(baseURL, { fetch })).toMatchObject({
      text: 'Grüße 🙂',
      finishReason: 'stop',
    });
    expect(used).toBe(1);
  });
});

describe('openaiModel: events', () => {
  test('begin with start, which names the request, and end with finish', async () => {
    const { baseURL } = await loopback(hello);
    const events: ModelEvent[] = [];
    for await (const event of model(baseURL).stream(request, { signal: never() }))
      events.push(event);
    expect(events[0]).toEqual({ type: 'start', requestId: 'req_1' });
    expect(events.at(-1)?.type).toBe('finish');
  });

  test('are handed out in order to readers that do not wait for each other', async () => {
    const { baseURL } = await loopback(hello);
    const iterator = model(baseURL).stream(request, { signal: never() })[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
    expect(results.map(({ value }) => value?.type)).toEqual([
      'start',
      'text',
      'finish',
      undefined,
      undefined,
    ]);
  });

  test('end when the turn is over, although the server leaves the connection open', async () => {
    const { baseURL } = await loopback((response) => {
      response.writeHead(200).write(frames(chatDelta({ content: 'Hello' }, 'stop'), '[DONE]'));
    });
    expect(await turnOf(baseURL)).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      error: null,
    });
  });
});

describe('openaiModel: failures', () => {
  test.each([
    [
      { error: { message: 'Bad.', type: 't', code: 'c' } },
      { code: 'c', type: 't', message: 'Bad.' },
    ],
    [
      { error: 'Bad.', code: 'c' },
      { code: 'c', type: null, message: 'Bad.' },
    ],
    [[{ error: { message: 'Bad.', code: 400 } }], { code: '400', type: null, message: 'Bad.' }],
    [{ detail: 'Bad.' }, { code: null, type: null, message: 'Bad.' }],
    ['Bad.', { code: null, type: null, message: '400 Bad.' }],
  ])('reads the error body %j', async (body, expected) => {
    const { baseURL, seen } = await loopback((response) => {
      response.writeHead(400).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    const turn = await turnOf(baseURL);
    expect(turn).toMatchObject({
      text: '',
      finishReason: null,
      error: { status: 400, ...expected },
    });
    expect(seen).toHaveLength(1);
  });

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('says how long to wait after %j', async (headers, expected) => {
    const { baseURL, seen } = await loopback((response) => {
      response.writeHead(429, headers).end('{"error":{"message":"Slow down."}}');
    });
    expect((await turnOf(baseURL)).error?.retryAfterMs).toBe(expected);
    expect(seen).toHaveLength(1);
  });

  test('tells a server that is not there', async () => {
    const { baseURL, server } = await loopback(hello);
    await new Promise((closed) => server.close(closed));
    expect((await turnOf(baseURL)).error).toMatchObject({
      status: null,
      code: 'model_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('gives up connecting in time', async () => {
    // A TLS handshake that is never answered: the connection is not there before it is secure.
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    onTestFinished(() => void silent.close());
    const turn = await turnOf(`https://127.0.0.1:${port}/v1`, { connectTimeoutMs: 20 });
    expect(turn.error).toMatchObject({ status: null, code: 'model_timeout' });
  });

  test.each(['chat', 'responses'] as const)('keeps what came before a cut (%s)', async (api) => {
    const piece =
      api === 'chat'
        ? chatDelta({ content: 'Hel' })
        : { type: 'response.output_text.delta', delta: 'Hel' };
    const { baseURL } = await loopback((response) => {
      response.writeHead(200).write(`${frames(piece)}data: {"cho`, () => response.destroy());
    });
    expect(await turnOf(baseURL, { api })).toMatchObject({
      text: 'Hel',
      error: { status: null, code: 'stream_cut' },
    });
  });

  test.each([
    ['{"object":"list"}', 'model_failed'],
    ['{"choices":[', 'stream_cut'],
    ['<html>Welcome</html>', 'stream_cut'],
    ['', 'stream_cut'],
  ])('does not take %j for an answer', async (body, code) => {
    const { baseURL } = await loopback((response) => void response.end(body));
    for (const api of ['chat', 'responses'] as const) {
      expect((await turnOf(baseURL, { api })).error?.code).toBe(code);
    }
  });

  test('reports a request that cannot be written', async () => {
    const { baseURL } = await loopback(hello);
    const asked = { ...request, extra: { seed: 1n as unknown as number } };
    const turn = await collectTurn(model(baseURL).stream(asked, { signal: never() }));
    expect(turn.error).toMatchObject({
      code: 'model_failed',
      message: expect.stringContaining('BigInt'),
    });
  });

  test('are returned even if a stream throws', async () => {
    async function* broken(): AsyncGenerator<ModelEvent> {
      yield { type: 'text', text: 'a' };
      throw new Error('broken');
    }
    expect(await collectTurn(broken())).toMatchObject({
      text: 'a',
      error: { code: 'model_failed', message: 'broken' },
    });
  });
});

describe('openaiModel: abort', () => {
  test('ends the stream and the connection in mid-answer, and leaves no listener behind', async () => {
    const gone = Promise.withResolvers<void>();
    const { baseURL } = await loopback((response) => {
      response.writeHead(200).write(frames(chatDelta({ content: 'a' })));
      response.on('close', gone.resolve);
    });
    const caller = new AbortController();
    const events: string[] = [];
    for await (const event of model(baseURL).stream(request, { signal: caller.signal })) {
      events.push(event.type === 'error' ? String(event.error.code) : event.type);
      if (event.type === 'text') caller.abort();
    }
    expect(events).toEqual(['start', 'text', 'aborted']);
    await gone.promise;
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test('ends a request that was not answered yet', async () => {
    const caller = new AbortController();
    const { baseURL } = await loopback(() => caller.abort());
    const turn = await collectTurn(model(baseURL).stream(request, { signal: caller.signal }));
    expect(turn.error?.code).toBe('aborted');
  });

  test('sends nothing when it came before', async () => {
    const { baseURL, seen } = await loopback(hello);
    const turn = await collectTurn(model(baseURL).stream(request, { signal: AbortSignal.abort() }));
    expect(turn.error?.code).toBe('aborted');
    expect(seen).toHaveLength(0);
  });

  test('is what leaving the loop does', async () => {
    const gone = Promise.withResolvers<void>();
    const { baseURL } = await loopback((response) => {
      response.writeHead(200).write(frames(chatDelta({ content: 'a' })));
      response.on('close', gone.resolve);
    });
    const { signal } = new AbortController();
    for await (const event of model(baseURL).stream(request, { signal })) {
      if (event.type === 'text') break;
    }
    await gone.promise;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('leaves no listener after a turn that ended by itself', async () => {
    const { baseURL } = await loopback(hello);
    const { signal } = new AbortController();
    await collectTurn(model(baseURL).stream(request, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('openaiModel: back-pressure', () => {
  test.each([
    ['node:http', undefined],
    ['fetch', globalThis.fetch],
  ])('stops reading for a reader that does not read, and loses nothing (%s)', async (_, fetch) => {
    const total = 15_000;
    const piece = frames(chatDelta({ content: 'x'.repeat(2_000) }));
    const stalled = Promise.withResolvers<void>();
    let sent = 0;
    const { baseURL } = await loopback((response) => {
      response.writeHead(200);
      const fill = () => {
        while (sent < total) {
          sent += 1;
          if (!response.write(piece)) break;
        }
        if (sent < total) response.once('drain', fill);
        else response.end(frames(chatDelta({}, 'stop'), '[DONE]'));
      };
      fill();
      // Nothing could be sent for a while: the kernel's buffers are full.
      let before = -1;
      const look = setInterval(() => {
        if (sent === before) stalled.resolve(clearInterval(look));
        before = sent;
      }, 50);
    });
    const stream = model(baseURL, fetch ? { fetch } : {}).stream(request, { signal: never() });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await stalled.promise;
    expect(sent).toBeLessThan(total);
    const turn = await collectTurn(stream);
    expect(turn).toMatchObject({ finishReason: 'stop', error: null });
    expect(turn.text).toHaveLength(total * 2_000);
  });
});
