import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chat, startChat } from '../src/chat.ts';
import { fixtureModel } from './fixture-model.ts';

const uuid = '00000000-0000-4000-8000-000000000001';

describe('the chat server', () => {
  let chat: Chat;
  let cookie: string;

  beforeAll(async () => {
    const model = fixtureModel(({ text }) =>
      text === 'stall' ? { text: 'a', stallAfter: 0 } : { text: 'one two three' },
    );
    const choice = { model, label: 'Fixture', hint: '', isDemo: false };
    chat = await startChat({ choice, port: 0, files: false, heartbeatMs: 20 });
    const page = await fetch(chat.url);
    cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  });
  afterAll(() => chat?.close());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(chat.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: chat.url, cookie, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const start = async (
    text: string,
    conversationId: string,
    requestId: string = crypto.randomUUID(),
  ) => {
    const response = await post('/api/runs', { conversationId, requestId, text });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const events = (runId: string | undefined, headers: Record<string, string> = {}) =>
    fetch(`${chat.url}/api/runs/${runId}/events`, { headers: { cookie, ...headers } });

  test('lets the page run its own files only', async () => {
    const page = await fetch(chat.url);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('set-cookie')).toMatch(
      /^steward_user=[0-9a-f]{32}; .*HttpOnly; SameSite=Strict/,
    );
  });

  test('answers to its own name only', async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      request(chat.url, { headers: { host: 'rebound.example' } }, (response) => {
        resolve(response.resume().statusCode);
      }).end();
    });
    expect(status).toBe(421);
  });

  test.each([
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
    ['somebody without a session', { cookie: '' }, 401],
  ])('takes no write from %s', async (_who, headers, status) => {
    const response = await post(
      '/api/runs',
      { conversationId: 'c', requestId: uuid, text: 'x' },
      headers,
    );
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      code: expect.any(String),
      message: expect.any(String),
    });
  });

  test.each([
    ['not JSON', '{', 'body'],
    ['no text', { conversationId: 'c', requestId: uuid, text: '  ' }, 'text'],
    ['a request id that is none', { conversationId: 'c', requestId: 'x', text: 'x' }, 'requestId'],
    ['a path as an id', { conversationId: '../x', requestId: uuid, text: 'x' }, 'conversationId'],
  ])('names the field of a wrong request: %s', async (_what, body, field) => {
    const response = await post('/api/runs', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_argument', field });
  });

  test('refuses a body that is too large, and a path that is not there', async () => {
    const text = 'x'.repeat(70_000);
    expect((await post('/api/runs', { conversationId: 'c', requestId: uuid, text })).status).toBe(
      413,
    );
    expect((await fetch(`${chat.url}/assets/..%2Fpackage.json`)).status).toBe(404);
    const page = await fetch(`${chat.url}/nowhere`, { headers: { 'sec-fetch-mode': 'navigate' } });
    expect(page.status).toBe(404);
    expect(await page.text()).toContain('There is no such page');
    expect(
      (
        await fetch(`${chat.url}/health`, {
          method: 'DELETE',
          headers: { origin: chat.url, 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(405);
  });

  test('makes one run of a request sent twice, and says when a conversation is busy', async () => {
    const id = crypto.randomUUID();
    const [first, second] = [await start('hi', 'twice', id), await start('hi', 'twice', id)];
    expect(second.body['runId']).toBe(first.body['runId']);
    const other = await start('another text', 'twice', id);
    expect(other).toMatchObject({ status: 409, body: { code: 'request_conflict' } });
    const stalled = await start('stall', 'busy');
    expect(await start('hi', 'busy')).toMatchObject({
      status: 409,
      body: { code: 'conversation_busy' },
    });
    expect((await post(`/api/runs/${stalled.body['runId']}/cancel`, {})).status).toBe(202);
  });

  test('resumes after any event id and stops a reader that has everything', async () => {
    const { body } = await start('hi', 'resume');
    const all = await (await events(body['runId'])).text();
    const frames = all.split('\n\n').filter((frame) => frame.startsWith('id: '));
    expect(frames.at(-1)).toContain('"type":"complete"');
    for (const [index, frame] of frames.entries()) {
      const after = /^id: (.*)$/m.exec(frame)?.[1] ?? '';
      const rest = await events(body['runId'], { 'last-event-id': after });
      const text = await rest.text();
      const last = index === frames.length - 1;
      expect(rest.status).toBe(last ? 204 : 200);
      expect(text.split('\n\n').filter((each) => each.startsWith('id: '))).toEqual(
        frames.slice(index + 1),
      );
    }
  });

  test('keeps a quiet stream alive, and shows runs to their user only', async () => {
    const { body } = await start('stall', 'quiet');
    const stream = await events(body['runId']);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('\n:\n\n:\n\n')) seen += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    const stranger = `steward_user=${'0'.repeat(32)}`;
    expect((await events(body['runId'], { cookie: stranger })).status).toBe(404);
    const cancel = await post(`/api/runs/${body['runId']}/cancel`, {}, { cookie: stranger });
    expect(cancel.status).toBe(404);
    expect((await post(`/api/runs/${body['runId']}/cancel`, {})).status).toBe(202);
  });
});
