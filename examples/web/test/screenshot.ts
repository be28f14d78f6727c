// Takes docs/images/chat.png: the page as `npm start` serves it, with the demo model.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startChat } from '../src/chat.ts';
import { chooseModel } from '../src/model-choice.ts';
import { launchBrowser } from './browser.ts';
import { ask, openPage, reached } from './page.ts';

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });
const chat = await startChat({ choice: chooseModel({}), port: 0 });
const browser = await launchBrowser();
try {
  const { page } = await openPage(browser, chat.url, { viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(30_000);
  await ask(page, 'What time is it in Tokyo?');
  await reached(page, 'complete');
  await ask(
    page,
    'Send an e-mail to grace@example.com, subject "Invitations", body "Can I help with the envelopes?"',
  );
  await page.locator('#approve').click();
  await reached(page, 'complete');
  await page.locator('#outbox li').waitFor();
  await page.locator('.run:last-child .tool summary').click();
  await page.evaluate('document.querySelector("main").scrollTo(0, 1e6)');
  await page.screenshot({ path: `${folder}chat.png` });
} finally {
  await browser.close();
  await chat.close();
}
