// npm run conformance [-- --side client --revision 2025-11-25 ...]: the conformance suite of MCP against our client and our
// server, with exact counts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../lib/child.mjs';
import { expectedChecks, expectedServerChecks, suiteVersion } from '../lib/conformance-counts.mjs';
import { fail, pnpm, root, toolsDir } from '../lib/workspace.mjs';

const revisions = Object.keys(expectedChecks);
const usage = `npm run conformance [-- --side client|server] [--revision R ...] [--scenario NAME]

Runs @modelcontextprotocol/conformance ${suiteVersion} against Steward's MCP client and a server made with its kit: what is
required by the revisions ${revisions.join(', ')}. Every scenario has to pass with the number of checks in
scripts/lib/conformance-counts.mjs. --scenario runs one of the client, and shows what the suite says.
`;
const { values } = parseArgs({
  options: {
    revision: { type: 'string', multiple: true, default: revisions },
    side: { type: 'string' },
    scenario: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit();
}
const unknown = values.revision.find((revision) => !revisions.includes(revision));
if (unknown) fail(`There are no requirements ${unknown}; there are ${revisions.join(', ')}.`);

const home = join(toolsDir, 'conformance');
const suite = join(home, 'node_modules/@modelcontextprotocol/conformance');
await install();
const program = 'packages/core/test/mcp/conformance-client-main.ts';
const command = `${process.execPath} --conditions=@steward/source ${program}`;
let failed = 0;
if (values.side !== 'server') {
  for (const revision of values.revision) {
    if (values.scenario === undefined) failed += await runAll(revision);
    else
      await run(process.execPath, [...client(revision, values.scenario), '--verbose'], {
        cwd: root,
      });
  }
}
if (values.side !== 'client' && values.scenario === undefined) failed += await runServer();
process.exitCode = failed === 0 ? 0 : 1;

/** An install of its own: the suite brings another SDK and what that needs. */
async function install() {
  const manifest = join(suite, 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === suiteVersion)
    return;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{"private":true}\n');
  const wanted = `@modelcontextprotocol/conformance@${suiteVersion}`;
  const args = ['add', '--ignore-workspace', '--ignore-scripts', '--save-exact', wanted];
  const { code, output } = await run(pnpm, args, { cwd: home, capture: true });
  if (code !== 0) fail(`pnpm ${args.join(' ')} failed:\n${output}`);
}

/**
 * @param {string} revision
 * @param {string} scenario
 */
function client(revision, scenario) {
  // An extension is of no revision.
  const version = revision === 'extensions' ? [] : ['--spec-version', revision];
  const program = [join(suite, 'dist/index.js'), 'client', '--command', command];
  return [...program, '--scenario', scenario, ...version];
}

/**
 * Runs the scenarios of a revision and compares what was counted with what has to be. A few at a time: the suite itself
 * starts all of them at once, and then its clocks and ours run out.
 * @param {string} revision
 */
async function runAll(revision) {
  const results = join(home, `results-${revision}`);
  rmSync(results, { recursive: true, force: true });
  const expected = expectedChecks[revision] ?? {};
  const waiting = Object.keys(expected);
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const cli = [...client(revision, name), '-o', results];
      await run(process.execPath, cli, { cwd: root, capture: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism() * 2) }, worker));
  return told(`client ${revision}`, expected, countChecks(results));
}

/**
 * Runs the scenarios of the server, each revision's at once, against one server.
 * @returns {Promise<number>}
 */
async function runServer() {
  const main = 'packages/core/test/mcp-server/conformance-server-main.ts';
  const server = spawn(process.execPath, ['--conditions=@steward/source', main], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(server.stdout, 'data');
    const { port } = new URL(String(line).trim());
    let problems = 0;
    for (const revision of values.revision.filter((name) => name in expectedServerChecks)) {
      const results = join(home, `server-results-${revision}`);
      rmSync(results, { recursive: true, force: true });
      const target = ['--url', `http://localhost:${port}/mcp`, '--requirements', revision];
      const cli = [join(suite, 'dist/index.js'), 'server', ...target, '-o', results];
      await run(process.execPath, cli, { cwd: root, capture: true });
      const expected = expectedServerChecks[revision] ?? {};
      problems += told(`server ${revision}`, expected, countChecks(results, 'server-'));
    }
    return problems;
  } finally {
    server.kill();
  }
}

/**
 * Says what was counted; the number of problems.
 * @param {string} what
 * @param {Readonly<Record<string, number>>} expected
 * @param {Counts} counted
 */
function told(what, expected, counted) {
  const problems = differences(expected, counted);
  const names = Object.keys(expected);
  const sum = (/** @type {'passed' | 'failed'} */ kind) =>
    names.reduce((total, name) => total + (counted[name]?.[kind] ?? 0), 0);
  console.log(
    `${what}: ${names.length} scenarios, ${sum('passed')} checks passed, ${sum('failed')} failed`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length;
}

/**
 * @typedef {Record<string, { passed: number, failed: number }>} Counts
 * @param {string} results
 * @param {string} prefix of the names of the folders
 * @returns {Counts}
 */
function countChecks(results, prefix = '') {
  /** @type {Counts} */
  const counts = {};
  const files = readdirSync(results, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((path) => path.endsWith('checks.json'))) {
    // A folder is named after its scenario and the time: `auth/basic-cimd-2026-11-20T...`.
    const scenario = file.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    /** @type {{ status: string }[]} */
    const checks = JSON.parse(readFileSync(join(results, file), 'utf8'));
    const count = (/** @type {string} */ status) =>
      checks.filter((check) => check.status === status).length;
    counts[scenario] = { passed: count('SUCCESS'), failed: count('FAILURE') };
  }
  return counts;
}

/**
 * A scenario that passed nothing is a client that crashed, and a count that changed is a suite or a client that changed.
 * @param {Readonly<Record<string, number>>} expected
 * @param {Counts} counted
 */
function differences(expected, counted) {
  return Object.entries(expected).flatMap(([scenario, wanted]) => {
    const { passed, failed } = counted[scenario] ?? { passed: 0, failed: 0 };
    if (passed === wanted && failed === 0 && passed > 0) return [];
    return [`${scenario}: ${passed} passed, ${failed} failed; ${wanted} have to pass`];
  });
}
