// A comment that turns a check off names the rule and gives its reason on the same line.
import { report, trackedTexts } from '../lib/tracked.mjs';

const marker =
  /(?:\/\/|\/\*|#|<!--).*?((?:oxlint|eslint)-disable|biome-ignore|@ts-(?:expect-error|ignore|nocheck)|(?:v8|c8|istanbul) ignore|knip-ignore|@lintignore)/;
const reasoned = [
  /(?:oxlint|eslint)-disable(?:-next-line|-line)?\s+[\w@/-]+[^-]*\s--\s+\S.{9,}/,
  /biome-ignore\S*\s+[\w/]+:\s+\S.{9,}/,
  /@ts-expect-error[:\s]+\S.{9,}/,
  /(?:v8|c8|istanbul) ignore[^-]*\s--\s+\S.{9,}/,
];

// These two are about such comments.
const samples = ['scripts/checks/disables.mjs', 'scripts/checks/plants.mjs'];

const problems = [];
for (const { file, text } of trackedTexts()) {
  if (!/\.[cm]?[jt]sx?$/.test(file) || samples.includes(file)) continue;
  for (const [index, line] of text.split('\n').entries()) {
    const found = marker.exec(line);
    if (found && !reasoned.some((pattern) => pattern.test(line))) {
      problems.push(
        `${file}:${index + 1}: ${found[1]} without a rule and a reason on the same line`,
      );
    }
  }
}
report(problems);
