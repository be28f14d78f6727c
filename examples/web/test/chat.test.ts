import { type ToolContext, tool } from '@steward/core';
import type { ScriptedTurn } from '@steward/core/testing';
import type { Browser, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Chat, startChat } from '../src/chat.ts';
import { browserExpected, launchBrowser } from './browser.ts';
import { type Asked, fixtureModel, gate } from './fixture-model.ts';
import { anotherTab, answerOf, ask, focused, openPage, reached, ready } from './page.ts';

const mail = { to: 'grace@example.com', subject: 'Invitations', body: 'Please send them.' };
const hostile =
  '<img src=x onerror="window.hit=1"><script>window.hit=1</script> [click](javascript:window.hit=1) ' +
  '![pixel](https://evil.example/p.png) <svg onload="window.hit=1"></svg>';
/** Tools that ask the person something, and tell what was answered. */
const asking = (name: string, input: Parameters<ToolContext['requestInput']>[0]) =>
  tool({
    name,
    description: 'Asks the person',
    parameters: z.object({}),
    effect: 'read',
    execute: async (_args, { requestInput }) => JSON.stringify(await requestInput(input)),
  });
const booking = asking('book', {
  message: 'For whom, and when?',
  schema: {
    type: 'object',
    required: ['name', 'seats'],
    properties: {
      name: { type: 'string', title: 'Your name', minLength: 2 },
      seats: { type: 'integer', minimum: 1, maximum: 8, description: 'One to eight' },
      day: { type: 'string', format: 'date' },
      room: {
        type: 'string',
        oneOf: [
          { const: 'h', title: 'Hall' },
          { const: 'g', title: 'Garden' },
        ],
      },
      extras: { type: 'array', items: { type: 'string', enum: ['cake', 'candles'] } },
      window: { type: 'boolean', title: 'At the window' },
    },
  },
});
const visit = asking('visit', {
  message: 'Sign in there first.',
  url: 'https://login.example/?a=1',
});
const lure = asking('lure', { message: hostile, url: 'javascript:window.hit=1' });
const question = asking('question', { message: 'What else?' });

const story = Array.from({ length: 80 }, (_, index) => `word${index} `);

let failures = 0;

/** What the model says, by what was asked. */
function turnFor({ text, toolAnswer, request }: Asked): ScriptedTurn {
  if (toolAnswer !== undefined) return { text: `The tool said: ${toolAnswer.slice(0, 2_000)}` };
  const folder = /in (\/\S+);/.exec(request.instructions ?? '')?.[1];
  const turns: Record<string, ScriptedTurn> = {
    hello: { text: 'Hello! **Bold** and `code`.\n\n- one\n- two' },
    mail: { toolCalls: [{ name: 'send_email', args: mail }] },
    'two mails': {
      toolCalls: [
        { name: 'send_email', args: mail },
        { name: 'send_email', args: { ...mail, to: 'linus@example.com' } },
      ],
    },
    'hostile mail': {
      text: hostile,
      toolCalls: [
        {
          name: 'send_email',
          args: { ...mail, subject: `${hostile} \u202Egnp.exe`, body: hostile },
        },
      ],
    },
    'hostile zone': {
      toolCalls: [{ name: 'get_time', args: { city: '<img src=x onerror="window.hit=1">' } }],
    },
    story: { text: story },
    book: { toolCalls: [{ name: 'book' }] },
    visit: { toolCalls: [{ name: 'visit' }] },
    lure: { toolCalls: [{ name: 'lure' }] },
    question: { toolCalls: [{ name: 'question' }] },
    endless: { text: story, stallAfter: 10 },
    list: { toolCalls: [{ name: 'files__list_directory', args: { path: folder ?? '' } }] },
    flaky:
      failures++ === 0
        ? { text: 'Half of', error: { status: 400, message: 'The model broke.' } }
        : { text: 'All of it.' },
  };
  return turns[text] ?? { text: `You said: ${text}` };
}

describe.runIf(browserExpected())('the chat page', () => {
  let browser: Browser;
  let chat: Chat;
  const storyGate = gate();
  const stopGate = gate();

  beforeAll(async () => {
    const model = fixtureModel(turnFor, { story: storyGate });
    const choice = { model, label: 'Demo model', hint: 'Set OPENAI_API_KEY', isDemo: true };
    browser = await launchBrowser();
    const tools = [booking, visit, lure, question];
    chat = await startChat({ choice, port: 0, tools });
  });

  afterAll(async () => {
    stopGate.open();
    await Promise.all([browser?.close(), chat?.close()]);
  });

  test('asks, streams and shows markdown', async () => {
    const { page, context, problems } = await openPage(browser, chat.url);
    await expect(page.getByText('Demo model').textContent()).resolves.toBe('Demo model');
    await ask(page, 'hello');
    await reached(page, 'complete');
    expect(await page.locator('.prose strong').textContent()).toBe('Bold');
    expect(await page.locator('.prose li').allInnerTexts()).toEqual(['one', 'two']);
    expect(page.url()).toContain('/c/');
    expect(problems).toEqual([]);
    await context.close();
  });

  test('shows the arguments and the result of a tool of a real MCP server', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'list');
    await reached(page, 'complete');
    const card = page.locator('.tool');
    expect(await card.getAttribute('data-state')).toBe('succeeded');
    await card.locator('summary').click();
    expect(await card.locator('dd').textContent()).toContain('steward-files-');
    expect(await card.locator('pre').textContent()).toContain('[FILE] orders.csv');
    await context.close();
  });

  test('asks before a write and does it once', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'mail');
    const dialog = page.getByRole('dialog', { name: 'Allow this?' });
    await dialog.waitFor();
    expect(await dialog.locator('dd').allInnerTexts()).toEqual([mail.to, mail.subject, mail.body]);
    expect(await page.locator('#outbox').textContent()).toBe('Nothing sent yet.');
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await reached(page, 'complete');
    expect(await page.locator('.tool').getAttribute('data-state')).toBe('succeeded');
    await page.locator('#outbox li').waitFor();
    expect(await page.locator('#outbox li').count()).toBe(1);
    await context.close();
  });

  test('sends one mail when two tabs approve at the same moment', async () => {
    const { page: one, context } = await openPage(browser, chat.url);
    await ask(one, 'mail');
    await one.locator('dialog[open]').waitFor();
    const { page: two } = await anotherTab(context, one.url());
    await two.locator('dialog[open]').waitFor();
    const held: Route[] = [];
    await context.route('**/decision', async (route) => {
      if (held.push(route) === 2) await Promise.all(held.map((each) => each.continue()));
    });
    await Promise.all([one, two].map((tab) => tab.locator('#approve').click()));
    await Promise.all([one, two].map((tab) => reached(tab, 'complete')));
    await Promise.all([one, two].map((tab) => tab.locator('#outbox li').first().waitFor()));
    expect(await two.locator('#outbox li').count()).toBe(1);
    const told = await Promise.all([one, two].map((tab) => tab.locator('#status').textContent()));
    expect(told.filter((text) => text?.includes('already decided'))).toHaveLength(1);
    await context.close();
  });

  test('does nothing when it is declined, and closes the dialog of the other tab', async () => {
    const { page: one, context } = await openPage(browser, chat.url);
    await ask(one, 'mail');
    await one.locator('dialog[open]').waitFor();
    const { page: two } = await anotherTab(context, one.url());
    await two.locator('dialog[open]').waitFor();
    await one.locator('#decline').click();
    await Promise.all([one, two].map((tab) => reached(tab, 'complete')));
    expect(await two.locator('dialog[open]').count()).toBe(0);
    expect(await two.locator('.tool').getAttribute('data-state')).toBe('declined');
    expect(await one.locator('#outbox').textContent()).toBe('Nothing sent yet.');
    await context.close();
  });

  test('asks for each of two writes, one after the other', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'two mails');
    const addressee = page.locator('dialog[open] dd').first();
    await addressee.getByText('grace@example.com').waitFor();
    await page.locator('#decline').click();
    await addressee.getByText('linus@example.com').waitFor();
    await page.locator('#approve').click();
    await reached(page, 'complete');
    const states = page.locator('.tool-state');
    expect(await states.allTextContents()).toEqual(['Not run', 'Approved, done']);
    await page.locator('#outbox li').waitFor();
    expect(await page.locator('#outbox .quiet').allTextContents()).toEqual([
      'to linus@example.com',
    ]);
    await context.close();
  });

  test('asks by a form what a tool wants to know, with the keyboard alone', async () => {
    const { page, context, problems } = await openPage(browser, chat.url);
    await ask(page, 'book');
    const form = page.locator('form.question-form');
    await form.waitFor();
    expect(await form.locator('legend').textContent()).toContain('For whom, and when?');
    expect(await page.locator('.answer').getAttribute('aria-busy')).toBe('false');
    await page.getByLabel('Your name').focus();
    await page.keyboard.type('A');
    await page.keyboard.press('Enter');
    // One letter is too short: the browser says so, and nothing is sent.
    expect(await form.locator(':invalid').count()).toBeGreaterThan(0);
    await page.keyboard.type('nn');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').getAttribute('aria-describedby')).toMatch(/-hint$/);
    await page.keyboard.type('3');
    await page.getByLabel('room').selectOption('Garden');
    await page.getByLabel('extras').selectOption(['cake', 'candles']);
    await page.getByLabel('At the window').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await reached(page, 'complete');
    const answer = { name: 'Ann', seats: 3, room: 'g', extras: ['cake', 'candles'], window: true };
    expect(await answerOf(page)).toBe(`The tool said: ${JSON.stringify(answer)}`);
    expect(await form.count()).toBe(0);
    expect(await focused(page)).toBe('message');
    expect(problems).toEqual([]);
    await context.close();
  });

  test('sends nothing of a form that is declined', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'book');
    await page.getByRole('button', { name: 'Decline' }).click();
    await reached(page, 'complete');
    expect(await answerOf(page)).toBe('The tool said: null');
    await context.close();
  });

  test('shows where to go, follows no script, and goes on when the person has been there', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'visit');
    const link = page.locator('.question-form a');
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('https://login.example/?a=1');
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    expect(await link.textContent()).toBe('https://login.example/?a=1');
    await page.getByRole('button', { name: 'I have been there' }).click();
    await reached(page, 'complete');
    expect(await answerOf(page)).toBe('The tool said: true');
    await ask(page, 'lure');
    await page.getByText('javascript:window.hit=1').last().waitFor();
    expect(await page.locator('.question-form a').count()).toBe(0);
    await page.getByRole('button', { name: 'Decline' }).click();
    await reached(page, 'complete');
    expect(await page.evaluate('window.hit')).toBeUndefined();
    await context.close();
  });

  test('keeps a question over a reload, and takes one answer of two tabs', async () => {
    const { page: one, context } = await openPage(browser, chat.url);
    await ask(one, 'question');
    await one.getByLabel('Your answer').waitFor();
    await one.reload();
    await ready(one);
    const { page: two } = await anotherTab(context, one.url());
    for (const page of [one, two]) await page.getByLabel('Your answer').fill('nothing');
    const held: Route[] = [];
    await context.route('**/answer', async (route) => {
      if (held.push(route) === 2) await Promise.all(held.map((each) => each.continue()));
    });
    await Promise.all(
      [one, two].map((tab) => tab.getByRole('button', { name: 'Send' }).last().click()),
    );
    await Promise.all([one, two].map((tab) => reached(tab, 'complete')));
    expect(await answerOf(two)).toBe('The tool said: "nothing"');
    const told = await Promise.all([one, two].map((tab) => tab.locator('#status').textContent()));
    expect(told.filter((text) => text?.includes('already answered'))).toHaveLength(1);
    await context.close();
  });

  test('keeps conversations apart', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'hello');
    await reached(page, 'complete');
    await page.getByRole('link', { name: 'New chat' }).click();
    await ready(page);
    await ask(page, 'something else');
    await reached(page, 'complete');
    const links = page.locator('#conversations a');
    expect(await links.allTextContents()).toEqual(['something else', 'hello']);
    await links.last().click();
    await ready(page);
    expect(await page.locator('.question').allTextContents()).toEqual(['hello']);
    await context.close();
  });

  test('stops, keeps what came, and takes the next message', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'endless');
    await page.getByText('word9').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await reached(page, 'cancelled');
    expect(await answerOf(page)).toBe(story.slice(0, 10).join('').trim());
    await ask(page, 'hello');
    await reached(page, 'complete');
    await page.reload();
    await ready(page);
    expect(await page.locator('.run').first().locator('.prose').textContent()).toContain('word9');
    expect(await page.locator('.run[data-state="cancelled"]').count()).toBe(1);
    await context.close();
  });

  test('goes on after a reload in mid-answer, and nothing is missing', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'story');
    await page.getByText('word39').waitFor();
    await page.reload();
    await ready(page);
    await page.getByText('word39').waitFor();
    expect(await page.getByText('word40').count()).toBe(0);
    storyGate.open();
    await reached(page, 'complete');
    const runId = (await page.locator('.run').getAttribute('data-run')) ?? '';
    const { text } = await chat.assistant.attach(runId, await ownerOf(context)).result();
    expect(text).toBe(story.join(''));
    expect(await answerOf(page)).toBe(text.trim());
    await page.reload();
    await ready(page);
    expect(await answerOf(page)).toBe(text.trim());
    await context.close();
  });

  test('offers to try again after an error', async () => {
    const { page, context } = await openPage(browser, chat.url);
    failures = 0;
    await ask(page, 'flaky');
    await reached(page, 'error');
    expect(await answerOf(page)).toBe('Half of');
    await page.getByRole('button', { name: 'Try again' }).click();
    await reached(page, 'complete');
    expect(await answerOf(page)).toBe('All of it.');
    await context.close();
  });

  test('offers to try again after a stall', async () => {
    const limits = { betweenTokensTimeoutMs: 100 };
    let asked = 0;
    const model = fixtureModel(() =>
      asked++ === 0 ? { text: story, stallAfter: 5 } : { text: 'Done.' },
    );
    const choice = { model, label: 'Fixture', hint: '', isDemo: false };
    const slow = await startChat({ choice, port: 0, files: false, limits });
    const { page, context } = await openPage(browser, slow.url);
    await ask(page, 'tell me');
    await reached(page, 'stalled');
    expect(await answerOf(page)).toBe(story.slice(0, 5).join('').trim());
    await page.getByRole('button', { name: 'Try again' }).click();
    await reached(page, 'complete');
    expect(await answerOf(page)).toBe('Done.');
    await context.close();
    await slow.close();
  });

  test('says that an answer is lost when the server was started anew', async () => {
    const model = fixtureModel(turnFor);
    const choice = { model, label: 'Fixture', hint: '', isDemo: false };
    const before = await startChat({ choice, port: 0, files: false });
    const { page, context } = await openPage(browser, before.url);
    await ask(page, 'endless');
    await page.getByText('word9').waitFor();
    await before.close();
    await page.getByText('Reconnecting').waitFor();
    const port = Number(new URL(before.url).port);
    const after = await startChat({ choice, port, files: false });
    await page.getByText('The server lost this answer').waitFor();
    expect(await answerOf(page)).toContain('word9');
    await context.close();
    await after.close();
  });

  test('obeys no markup of a model, a tool or an argument', async () => {
    const { page, context, problems } = await openPage(browser, chat.url);
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(chat.url)) foreign.push(request.url());
    });
    await ask(page, 'hostile mail');
    await page.locator('dialog[open]').waitFor();
    const subject = await page.locator('dialog dd').nth(1).textContent();
    expect(subject).toContain('<script>window.hit=1</script>');
    expect(subject).toContain('U+202Egnp.exe');
    await page.locator('#approve').click();
    await reached(page, 'complete');
    await ask(page, 'hostile zone');
    await reached(page, 'complete');
    await page.locator('.run:last-child .tool summary').click();
    await page.reload();
    await ready(page);
    expect(await page.locator('main :is(img, script, svg, iframe)').count()).toBe(0);
    const spoken = await page.locator('.prose').first().textContent();
    expect(spoken).toContain('<script>window.hit=1</script> click [image: pixel]');
    const links = await page.locator('main a').all();
    const targets = await Promise.all(links.map((link) => link.getAttribute('href')));
    expect(targets).toEqual([`mailto:${mail.to}`]);
    expect(await page.evaluate('window.hit')).toBeUndefined();
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
  });

  test('can be used with the keyboard alone', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await page.keyboard.type('two');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('lines');
    await page.keyboard.press('Enter');
    await reached(page, 'complete');
    expect(await page.locator('.question').textContent()).toBe('two\nlines');
    await page.keyboard.type('mail');
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('.run:last-child').getAttribute('data-state')).toBe('open');
    await page.getByRole('button', { name: 'Review and decide' }).press('Enter');
    await page.locator('dialog[open]').waitFor();
    expect(await focused(page)).toBe('confirmation-title');
    for (const id of ['confirmation-body', 'decline', 'approve']) {
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe(id);
    }
    await page.keyboard.press('Enter');
    await reached(page, 'complete');
    await page.getByLabel('Message', { exact: true }).fill('endless');
    await page.keyboard.press('Enter');
    await page.getByText('word9').waitFor();
    await page.keyboard.press('Escape');
    await reached(page, 'cancelled');
    expect(await focused(page)).toBe('message');
    await context.close();
  });

  test('fits a phone, in the dark too', async () => {
    const options = {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark' as const,
      hasTouch: true,
    };
    const { page, context } = await openPage(browser, chat.url, options);
    await ask(page, 'mail');
    await page.locator('#approve').click();
    await reached(page, 'complete');
    await page.locator('.tool summary').click();
    await ask(page, 'one line of many '.repeat(80));
    await reached(page, 'complete');
    await page.getByLabel('Message', { exact: true }).fill('a long message '.repeat(80));
    const size = await page.evaluate(
      '[document.documentElement.scrollWidth, document.documentElement.scrollHeight]',
    );
    expect(size).toEqual([360, 740]);
    const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(paper).toBe('rgb(22, 23, 21)');
    await page.locator('.menu').click();
    await page.locator('#sidebar a[aria-current]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#sidebar').waitFor({ state: 'hidden' });
    await context.close();
  });

  test('shows where a link leads, and gives its target nothing', async () => {
    const { page, context } = await openPage(browser, chat.url);
    await ask(page, 'See [the bank](https://evil.example/bank) or https://example.com/a');
    await reached(page, 'complete');
    const prose = page.locator('.prose');
    expect(await prose.textContent()).toContain('the bank (evil.example)');
    for (const link of await prose.locator('a').all()) {
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer nofollow');
      expect(await link.getAttribute('target')).toBe('_blank');
    }
    expect(await prose.locator('a').count()).toBe(2);
    await context.close();
  });

  async function ownerOf(context: Awaited<ReturnType<typeof openPage>>['context']) {
    const [cookie] = await context.cookies();
    return { userId: cookie?.value ?? '' };
  }
});
