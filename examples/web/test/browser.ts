import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const args = [
  '--no-sandbox',
  '--renderer-process-limit=1',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The Chromium of this machine: `CHROMIUM`, or the first on the path. */
const executablePath =
  process.env['CHROMIUM'] ??
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(existsSync);

/** Whether browser tests run. Where there must be a browser they run, and fail, without one. */
export function browserExpected(): boolean {
  if (executablePath || process.env['STEWARD_REQUIRE']) return true;
  console.warn('Skipped: there is no Chromium on the path; set CHROMIUM to test the page.');
  return false;
}

export function launchBrowser(): Promise<Browser> {
  if (!executablePath) throw new Error('There is no Chromium on the path, and CHROMIUM is not set');
  return chromium.launch({ executablePath, args });
}
