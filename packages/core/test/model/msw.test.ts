import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { collectTurn } from '../../src/model/collect-turn.ts';
import { openaiModel } from '../../src/model/openai-model.ts';

// Many teams test with msw: its handlers must see our requests and its streams must reach our reader, over both ways
// to the network.
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const frames = [
  { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' }, finish_reason: null }] },
  { choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
];

it.each([
  ['node:http', {}],
  ['the global fetch', { fetch: (...request: Parameters<typeof fetch>) => fetch(...request) }],
])('a handler of msw answers a streamed request over %s', async (_way, options) => {
  const asked: unknown[] = [];
  server.use(
    http.post('https://api.example/v1/chat/completions', async ({ request }) => {
      asked.push(await request.json(), request.headers.get('authorization'));
      const body = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('');
      return new HttpResponse(`${body}data: [DONE]\n\n`, {
        headers: { 'content-type': 'text/event-stream' },
      });
    }),
  );
  const model = openaiModel({
    api: 'chat',
    model: 'any',
    baseURL: 'https://api.example/v1',
    apiKey: 'key',
    ...options,
  });
  const turn = await collectTurn(
    model.stream(
      { messages: [{ role: 'user', content: 'Hello?' }], tools: [] },
      { signal: AbortSignal.timeout(60_000) },
    ),
  );
  expect(turn).toMatchObject({ text: 'Hello', finishReason: 'stop', error: null });
  expect(asked).toEqual([
    expect.objectContaining({
      model: 'any',
      stream: true,
      messages: [{ role: 'user', content: 'Hello?' }],
    }),
    'Bearer key',
  ]);
});
