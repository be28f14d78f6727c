// Children in the foreground: they get our signals, we pass on their exit code. Node >= 20, built-ins only.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * @typedef {object} ChildOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [capture]  return the output instead of showing it
 * @property {RegExp} [stopAt]  with capture: end the child when it says this
 */
/** @typedef {{ code: number, output: string }} ChildResult */

/** @type {NodeJS.Signals[]} */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Started by npm, or as a task by run.mjs: not by a person who may leave us in the background. */
const endsWithParent = 'npm_lifecycle_event' in process.env || 'STEWARD_TASK' in process.env;

/**
 * Runs a command to its end.
 * A child ended by a signal gives 128 + the number of the signal, as in a shell.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ChildOptions} [options]
 * @returns {Promise<ChildResult>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: options.capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    /** @type {Buffer[]} */
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        chunks.push(chunk);
        if (options.stopAt?.test(String(chunk))) child.kill();
      });
    }
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopForwarding();
      const output = Buffer.concat(chunks).toString('utf8');
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), output });
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  /** @type {Set<string>} */
  const sent = new Set();
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal sends Ctrl-C to the whole group, and npm sends it once more: the child should see it once.
    const fromTerminal = signal === 'SIGINT' && process.stdin.isTTY;
    if (fromTerminal || sent.has(signal)) return;
    sent.add(signal);
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  // npm starts us through a shell, and a signal to npm ends only that shell.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (endsWithParent && process.ppid !== parent) forward('SIGTERM');
  }, 250);
  return () => {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, forward);
  };
}
