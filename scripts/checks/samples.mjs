// Every TypeScript sample compiles: those in the Markdown pages and the @example blocks of the sources. Samples in
// Markdown that close their assistant are whole programs: they are run as well.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import ts from 'typescript';
import { report, trackedTexts } from '../lib/tracked.mjs';
import { root } from '../lib/workspace.mjs';

/** Beside the tests of the package that a sample is about: it resolves what they resolve. @param {Sample} sample */
function folderOf({ from, code }) {
  // Guides are about core, or about stores as well.
  const ofGuides = code.includes("'@steward/store-") ? 'packages/store-postgres' : 'packages/core';
  return join(root, /^packages\/[^/]+/.exec(from)?.[0] ?? ofGuides, 'test/.samples');
}
/** @type {Set<string>} */
const folders = new Set();
const fence = /^```ts\n([\s\S]*?)^```$/gm;

/** @typedef {{ from: string, code: string, whole: boolean }} Sample */

/** @returns {Generator<Sample>} */
function* samples() {
  for (const { file, text } of trackedTexts()) {
    if (/^(README\.md|docs\/guides\/|packages\/[^/]+\/README\.md)/.test(file))
      yield* fenced(file, text);
    if (/^packages\/[^/]+\/src\/.*\.ts$/.test(file)) {
      for (const [comment] of text.matchAll(/^ *\/\*\*[\s\S]*?\*\//gm)) {
        yield* fenced(file, comment.replaceAll(/^ *\* ?/gm, ''));
      }
    }
  }
}

/** @param {string} from @param {string} text @returns {Generator<Sample>} */
function* fenced(from, text) {
  for (const [, code = ''] of text.matchAll(fence)) {
    yield { from, code, whole: from.endsWith('.md') && code.includes('await assistant.close()') };
  }
}

/** @param {Map<string, Sample>} files */
function compile(files) {
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) =>
    ts.sys.readFile(path),
  ).config;
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const program = ts.createProgram([...files.keys()], {
    ...options,
    noUnusedLocals: false,
    noEmit: true,
  });
  return ts.getPreEmitDiagnostics(program).flatMap((diagnostic) => {
    const { file, start = 0 } = diagnostic;
    const sample = file && files.get(file.fileName);
    if (!sample) return [];
    const { line } = ts.getLineAndCharacterOfPosition(file, start);
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    return [`${sample.from}: line ${line + 1} of the sample: ${message}\n${sample.code}`];
  });
}

const files = new Map();
try {
  for (const sample of samples()) {
    const folder = folderOf(sample);
    folders.add(folder);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `sample-${files.size}.ts`);
    files.set(path, sample);
    writeFileSync(path, `${sample.code}\nexport {};\n`);
  }
  const problems = compile(files);
  for (const [path, { from, whole }] of files) {
    if (!whole || problems.length > 0) continue;
    const ended = spawnSync(process.execPath, ['--conditions=@steward/source', path], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (ended.status !== 0)
      problems.push(`${from}: a sample failed
${ended.stderr}`);
  }
  console.log(`\n${files.size} samples`);
  report(problems);
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
