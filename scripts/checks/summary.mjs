// summary.mjs VITEST_JSON FAILED_STEPS: the last line of CI, «N passed, N failed», and its exit code.
// Node >= 20, built-ins only: it also runs when nothing could be installed.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from '../lib/workspace.mjs';

const [file = '', failedSteps = '0'] = process.argv.slice(2);

/**
 * @typedef {{ status: string, fullName: string }} Assertion
 * @typedef {{ name: string, status: string, message: string, assertionResults: Assertion[] }} Suite
 */

/** @returns {Suite[]} */
function readSuites() {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch (error) {
    console.log(`There is no test report: ${String(error)}`);
    return [];
  }
}

let passed = 0;
/** @type {string[]} */
const problems = [];
for (const suite of readSuites()) {
  const name = relative(root, suite.name);
  const tests = suite.assertionResults;
  passed += tests.filter(({ status }) => status === 'passed').length;
  // Nothing may be skipped here: what CI does not run, nobody runs.
  const bad = tests.filter(({ status }) => status !== 'passed');
  problems.push(...bad.map(({ status, fullName }) => `${status}: ${name} > ${fullName}`));
  if (suite.status === 'failed' && bad.length === 0) problems.push(`failed: ${name}`);
}
for (const problem of problems) console.log(problem);

// A failed step counts as one, unless the failed tests have said it already.
const testFailures = problems.length;
const stepFailures = Number(failedSteps) - (testFailures > 0 && Number(failedSteps) > 0 ? 1 : 0);
const failed =
  testFailures + stepFailures + (passed + testFailures === 0 && stepFailures === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
