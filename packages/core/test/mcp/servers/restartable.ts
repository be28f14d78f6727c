import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { expect } from 'vitest';
import type { McpServerConfig } from '../../../src/mcp/server-config.ts';
import { folder, isAlive, node } from '../stdio-fixture.ts';
import { listen, modernListener, sessionListener, sseListener } from './http-server.ts';
import { addProbeTools, fileLedger, probeServer } from './probe-tools.ts';

/** A server that a test kills. Its ledger outlives it. */
export interface Restartable {
  readonly config: McpServerConfig;
  /** Kills the server, and starts it again where the assistant does not do that. */
  restart(): Promise<void>;
  /** Cuts the connections and leaves the server alone; not for a child, whose connection is its life. */
  readonly drop: (() => void) | null;
  /** What it did. */
  ledger(): readonly string[];
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('./probe-stdio-main.ts', import.meta.url));

async function emptyFile(name: string): Promise<string> {
  const file = join(await folder(), name);
  await writeFile(file, '');
  return file;
}

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean);

export async function stdioProbe(era: 'modern' | 'old'): Promise<Restartable> {
  const [ledgerFile, pidFile] = [await emptyFile('ledger'), await emptyFile('pids')];
  return {
    config: { command: node, args: [program, era, ledgerFile, pidFile] },
    async restart() {
      const pid = Number(linesOf(pidFile).at(-1));
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => isAlive(pid)).toBe(false);
    },
    drop: null,
    ledger: () => linesOf(ledgerFile),
    close: async () => undefined,
  };
}

export async function httpProbe(kind: 'modern' | 'sessions' | 'sse'): Promise<Restartable> {
  const ledgerFile = await emptyFile('ledger');
  const ledger = fileLedger(ledgerFile);
  const old = () => addProbeTools(new OldServer({ name: 'probe', version: '1.0.0' }), ledger);
  const start = (port: number) => {
    if (kind === 'modern')
      return listen(
        modernListener(() => probeServer(ledger)),
        port,
      );
    return listen((kind === 'sse' ? sseListener(old) : sessionListener(old)).listener, port);
  };
  let listening = await start(0);
  const { url } = listening;
  return {
    config: { url },
    async restart() {
      await listening.close();
      listening = await start(Number(new URL(url).port));
      // It answers: by then the end of the old connections has arrived as well.
      const [response] = await once(get(url, { agent: false, method: 'DELETE' }).end(), 'response');
      await once((response as IncomingMessage).resume(), 'end');
    },
    drop: () => listening.server.closeAllConnections(),
    ledger: () => linesOf(ledgerFile),
    close: () => listening.close(),
  };
}
