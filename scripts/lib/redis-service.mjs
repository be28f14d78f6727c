// A real Redis for tests, on loopback, thrown away. Node >= 20, built-ins only.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, installPackage, which } from './services.mjs';

/**
 * @typedef {object} RedisServer
 * @property {string} url
 * @property {number} port
 * @property {() => Promise<void>} crash  kill -9
 * @property {() => Promise<void>} start  starts it again on the same data and port
 * @property {(signal: NodeJS.Signals) => void} signal
 * @property {() => Promise<void>} stop  ends it and deletes its data
 */

const findBinary = () => which('redis-server') ?? which('valkey-server');

/**
 * A throw-away server, or `undefined` where there is none and none can be installed.
 * @param {readonly string[]} settings as on the command line, such as `--requirepass`
 * @returns {Promise<RedisServer | undefined>}
 */
export function startRedis(...settings) {
  return startConfigured('', ...settings);
}

/**
 * The same with a configuration file, which the server may write to.
 * @param {string} config
 * @param {readonly string[]} settings
 * @returns {Promise<RedisServer | undefined>}
 */
export async function startConfigured(config, ...settings) {
  if (!findBinary()) installPackage('redis-server');
  const command = findBinary();
  if (!command) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'steward-redis-'));
  const port = await freePort();
  const file = join(folder, 'redis.conf');
  writeFileSync(file, config);
  const place = [file, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const always = ['--save', '', '--loglevel', 'warning'];
  const server = new Server(command, port, [...place, ...always, ...settings]);
  await server.start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    crash: () => server.end('SIGKILL'),
    start: () => server.start(),
    signal: (signal) => server.signal(signal),
    stop: async () => {
      await server.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Server {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #command;
  #port;
  #args;

  /**
   * @param {string} command
   * @param {number} port
   * @param {readonly string[]} args
   */
  constructor(command, port, args) {
    this.#command = command;
    this.#port = port;
    this.#args = args;
  }

  async start() {
    const setpriv = which('setpriv');
    // Where there is setpriv, the server ends with us even when we are killed.
    const child = setpriv
      ? spawn(setpriv, ['--pdeathsig=KILL', this.#command, ...this.#args], { stdio: 'ignore' })
      : spawn(this.#command, [...this.#args], { stdio: 'ignore' });
    this.#child = child;
    // Generous: what it wrote before is read first, which takes its time on a busy machine.
    const deadline = Date.now() + 60_000;
    while (!(await answers(this.#port))) {
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`Redis did not start: it ended with ${end}`);
      if (Date.now() > deadline) throw new Error('Redis did not answer within 60 s of its start');
      await wait(5);
    }
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child?.kill(signal);
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}

/**
 * Whether it takes commands: one that wants a password does too.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(500, () => socket.destroy());
    socket.once('data', (said) => {
      socket.destroy();
      resolve(/^(\+PONG|-NOAUTH)/.test(String(said)));
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(false));
  });
}
