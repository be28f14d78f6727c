// Processes of a campaign. They end with this one, even when it is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { which } from '../lib/services.mjs';
import type { Report } from './reporting.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly said: string;
}

export interface Child {
  readonly pid: number;
  /** Where it listens; rejects when it ended before. */
  readonly url: Promise<string>;
  readonly exit: Promise<Exit>;
  send(order: object): void;
  /** The next report of a kind; `undefined` when it ended before. */
  next<K extends Report['kind']>(kind: K): Promise<Extract<Report, { kind: K }> | undefined>;
  signal(signal: NodeJS.Signals): void;
}

const keptOutput = 8_000;
const setpriv = which('setpriv');

/** Starts `NAME.ts` of this folder. */
export function startChild(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Child {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const command = [
    process.execPath,
    '--expose-gc',
    '--conditions=@steward/source',
    script,
    ...args,
  ];
  if (setpriv) command.unshift(setpriv, '--pdeathsig=KILL');
  const [file = '', ...rest] = command;
  const child = spawn(file, rest, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const exit = exitOf(child);
  // Who was killed hears no orders.
  child.on('error', () => {});
  const next: Child['next'] = (kind) => nextReport(child, exit, kind);
  const url = next('ready').then(async (ready) => {
    if (ready) return ready.url;
    const { code, signal, said } = await exit;
    throw new Error(`${name} ended before it was ready (${code ?? signal}): ${said}`);
  });
  url.catch(() => {});
  return {
    pid: child.pid ?? 0,
    url,
    exit,
    next,
    send: (order) => void (child.connected && child.send(order, () => {})),
    signal: (signal) => void child.kill(signal),
  };
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptOutput);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, said };
}

function nextReport<K extends Report['kind']>(child: ChildProcess, exit: Promise<Exit>, kind: K) {
  return new Promise<Extract<Report, { kind: K }> | undefined>((resolve) => {
    const hear = (said: Report) => {
      if (said.kind !== kind) return;
      child.off('message', hear);
      resolve(said as Extract<Report, { kind: K }>);
    };
    child.on('message', hear);
    void exit.then(() => resolve(undefined));
  });
}
