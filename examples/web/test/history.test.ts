import type { RunEvent } from '@steward/core';
import type { ScriptedTurn } from '@steward/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyEvent, openView, type RunView } from '../public/run-view.js';
import { type Chat, startChat } from '../src/chat.ts';
import { listConversations, readConversation } from '../src/history.ts';
import { type Asked, fixtureModel } from './fixture-model.ts';

const userId = 'somebody';
const mail = { to: 'a@example.com', subject: 'Hi', body: 'Hello' };
const call = (name: string, args: object): ScriptedTurn => ({
  text: 'Let me see.',
  toolCalls: [{ name, args: { ...args } }],
});

const turns: Record<string, ScriptedTurn> = {
  'a plain answer': { text: 'one two three' },
  'a tool': call('get_time', { city: 'Oslo' }),
  'a tool that fails': call('get_time', { city: 'Nowhere' }),
  'wrong arguments': call('send_email', { to: 1 }),
  'an approved write': call('send_email', mail),
  'a declined write': call('send_email', mail),
  'an error': { text: 'one two', error: { status: 400, message: 'No.' } },
  'an error after a tool': call('get_time', { city: 'Oslo' }),
  'a stall': { text: 'one two three', stallAfter: 2 },
  'a cancelled answer': { text: 'one two three', stallAfter: 1 },
  'a cancelled confirmation': call('send_email', mail),
  'a refusal': { refusal: 'I would rather not.' },
  'a long answer cut': { text: 'one two', finishReason: 'length' },
};

function turnFor({ text, toolAnswer }: Asked): ScriptedTurn {
  if (toolAnswer === undefined) return turns[text] ?? {};
  if (text === 'an error after a tool')
    return { text: 'Well', error: { status: 400, message: 'No.' } };
  return { text: 'That is it.' };
}

describe('a run shown from the store', () => {
  let chat: Chat;

  beforeAll(async () => {
    const choice = { model: fixtureModel(turnFor), label: '', hint: '', isDemo: false };
    const limits = { betweenTokensTimeoutMs: 100 };
    chat = await startChat({ choice, port: 0, files: false, limits });
  });
  afterAll(() => chat?.close());

  /** What a person does in this run. */
  async function react(question: string, event: RunEvent): Promise<void> {
    const { assistant } = chat;
    const { runId } = event;
    if (question === 'a cancelled answer' && event.type === 'token') {
      await assistant.cancel(runId, { userId });
    }
    if (event.type !== 'tool_request' || !event.requiresConfirmation) return;
    if (question === 'a cancelled confirmation') return assistant.cancel(runId, { userId });
    const decision = { approve: question === 'an approved write', argsDigest: event.argsDigest };
    await assistant.confirm(runId, event.callId, decision, { userId });
  }

  test.each(Object.keys(turns))('is as its events showed it: %s', async (question) => {
    const run = chat.assistant.run(question, { userId, conversationId: question });
    const live: RunView = openView(run.id, question);
    for await (const event of run) {
      applyEvent(live, event);
      await react(question, event);
    }
    expect(live.state).not.toBe('open');
    const [stored] = await readConversation(chat.assistant, userId, question);
    expect(stored).toEqual(live);
  });

  test('is in the list of its user, called after its question', async () => {
    const listed = await listConversations(chat.assistant, userId);
    expect(listed.map(({ title }) => title).sort()).toEqual(Object.keys(turns).sort());
    expect(await listConversations(chat.assistant, 'somebody else')).toEqual([]);
  });
});
