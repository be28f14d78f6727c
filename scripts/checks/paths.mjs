// Paths and links in the Markdown pages lead to something.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { report, trackedTexts } from '../lib/tracked.mjs';
import { root } from '../lib/workspace.mjs';

const link = /\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g;
const path = /`((?:packages|docs|examples|scripts|bench)\/[\w./-]+)`/g;

const problems = [];
for (const { file, text } of trackedTexts()) {
  if (!file.endsWith('.md') || file.startsWith('.changeset/')) continue;
  for (const [, target = ''] of text.matchAll(link)) {
    if (!existsSync(join(root, dirname(file), target))) problems.push(`${file}: no ${target}`);
  }
  for (const [, target = ''] of text.matchAll(path)) {
    if (!existsSync(join(root, target))) problems.push(`${file}: no ${target}`);
  }
}
report(problems);
