import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

/** A page of the chat, opened; what it throws or logs as an error is kept. */
export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly problems: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(60_000);
  return { context, ...(await anotherTab(context, url)) };
}

export async function anotherTab(
  context: BrowserContext,
  url: string,
): Promise<Pick<OpenPage, 'page' | 'problems'>> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  await ready(page);
  return { page, problems };
}

/** Once the page's script runs. */
export const ready = (page: Page): Promise<unknown> => page.waitForSelector('[data-ready]');

export async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** Once the newest run is in the state. */
export const reached = (page: Page, state: string): Promise<void> =>
  page.locator(`.run:last-child[data-state="${state}"]`).waitFor();

/** The text of the newest answer, as it is read. */
export async function answerOf(page: Page): Promise<string> {
  const text = await page.locator('.run:last-child .prose').last().textContent();
  return text?.trim() ?? '';
}

/** The id of what has the keyboard's focus. */
export const focused = (page: Page): Promise<string | null> =>
  page.locator(':focus').getAttribute('id');
