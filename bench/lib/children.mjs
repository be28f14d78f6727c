// Every child talks over IPC, ends when this process does, and is ended by its own pid when it takes too long.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bench = new URL('../', import.meta.url);
const workerLimitMs = 180_000;

/** Peers must not trace, call home or read a key of the machine. */
export const environment = {
  ...process.env,
  NODE_ENV: 'production',
  OPENAI_API_KEY: 'x',
  OPENAI_AGENTS_DISABLE_TRACING: '1',
  MASTRA_OFFLINE: '1',
  MASTRA_TELEMETRY_DISABLED: '1',
  MASTRA_AUTO_REFRESH_PROVIDERS: 'false',
};

export const preload = ['--no-warnings', '--import', new URL('lib/loopback.mjs', bench).href];

/** Starts the fake server; resolves once it listens. */
export function startServer() {
  const child = fork(fileURLToPath(new URL('server/openai.mjs', bench)), { env: environment });
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }) =>
      resolve({
        baseURL: `http://127.0.0.1:${port}/v1`,
        pid: child.pid,
        stop: () => child.disconnect(),
      }),
    );
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

/** One measurement in a fresh process; what went wrong is in `error`. */
export function measureInWorker(job, flags, worker = 'worker.mjs', limitMs = workerLimitMs) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL(worker, bench)), [JSON.stringify(job)], {
      env: environment,
      execArgv: [...preload, ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let result;
    const timer = setTimeout(() => {
      result = { error: `no result within ${limitMs} ms` };
      child.kill('SIGKILL');
    }, limitMs);
    child.once('message', (message) => {
      result = message;
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(result ?? { error: `the process ended with ${code}` });
    });
  });
}
