// Real servers for tests: from the environment, or thrown up on loopback and thrown away. Node >= 20, built-ins only.
// Never a system service, never a default port.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * @typedef {object} PostgresServer
 * @property {string} url
 * @property {() => Promise<void>} crash  stops it at once, as a power cut would
 * @property {() => Promise<void>} start  starts it again on the same data and port
 * @property {() => Promise<void>} stop  ends it and deletes its data
 */

const isRoot = process.getuid?.() === 0;

/** @param {string} name */
export const which = (name) =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

/** The newest PostgreSQL of this machine: the folder of its binaries. */
function postgresBinaries() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'));
  const onPath = which('initdb');
  if (onPath) folders.push(dirname(onPath));
  return folders.find((folder) => existsSync(join(folder, 'initdb')));
}

/** @param {string} name */
export function installPackage(name) {
  if (!isRoot || !which('apt-get')) return;
  console.error(`[services] apt-get install ${name}`);
  const script = `
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
    apt-get update -qq && apt-get install -y -qq --no-install-recommends ${name}`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('sh', ['-c', script], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** PostgreSQL refuses to run as root. */
function postgresUser() {
  if (!isRoot) return undefined;
  /** @param {string} flag */
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/**
 * A throw-away server, or `undefined` where there is none and none can be installed.
 * @returns {Promise<PostgresServer | undefined>}
 */
export async function startPostgres() {
  if (!postgresBinaries()) installPackage('postgresql');
  const binaries = postgresBinaries();
  if (!binaries) return undefined;
  const user = postgresUser();
  const folder = mkdtempSync(join(tmpdir(), 'steward-postgres-'));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const init = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const made = spawnSync(join(binaries, 'initdb'), init, {
    ...user,
    cwd: folder,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  const server = new Cluster({ command: join(binaries, 'postgres'), data, port, user });
  await server.start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    crash: () => server.end('SIGQUIT'),
    start: () => server.start(),
    stop: async () => {
      await server.end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param {{ data: string, port: number }} cluster */
function serverArguments({ data, port }) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    // It need not survive a power cut, but a crash: what it has acknowledged is there afterwards.
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'on',
    max_connections: 200,
    log_min_messages: 'fatal',
    log_min_error_statement: 'fatal',
  };
  return [
    '-D',
    data,
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
}

class Cluster {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #options;

  /** @param {{ command: string, data: string, port: number, user: { uid: number, gid: number } | undefined }} options */
  constructor(options) {
    this.#options = options;
  }

  async start() {
    const { command, port, user, data } = this.#options;
    const args = serverArguments(this.#options);
    const setpriv = which('setpriv');
    // Where there is setpriv, the server ends with us even when we are killed.
    const ids = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
    const child = setpriv
      ? spawn(setpriv, [...ids, '--pdeathsig=INT', command, ...args], {
          cwd: data,
          stdio: 'ignore',
        })
      : spawn(command, args, { ...user, cwd: data, stdio: 'ignore' });
    this.#child = child;
    const deadline = Date.now() + 30_000;
    const asked = ['-q', '-h', '127.0.0.1', '-p', String(port)];
    while (spawnSync(join(dirname(command), 'pg_isready'), asked).status !== 0) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`PostgreSQL did not start (exit code ${child.exitCode})`);
      }
      await wait(15);
    }
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}
