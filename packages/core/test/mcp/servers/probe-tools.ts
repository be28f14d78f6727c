import { appendFileSync, readFileSync } from 'node:fs';
import type { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** What really happened, in a file that outlives the server: a line per execution. */
export interface Ledger {
  /** Writes a line; whether it is the first of its kind. */
  note(line: string): boolean;
}

export function fileLedger(file: string): Ledger {
  return {
    note(line) {
      const isFirst = !readFileSync(file, 'utf8').split('\n').includes(line);
      appendFileSync(file, `${line}\n`);
      return isFirst;
    },
  };
}

const NAMES = ['change', 'save', 'look'];

/** Does what it is for at once; what is called `stop…` answers only when it is called again. */
async function work(ledger: Ledger, name: string, what: string) {
  const isFirst = ledger.note(`${name} ${what}`);
  if (isFirst && what.startsWith('stop')) await new Promise(() => undefined);
  return { content: [{ type: 'text' as const, text: `${name} ${what}` }] };
}

/** Three tools that do the same, for the host to say what each of them is. */
export function probeServer(ledger: Ledger): McpServer {
  const server = new McpServer({ name: 'probe', version: '1.0.0' });
  for (const name of NAMES) {
    const inputSchema = z.object({ what: z.string() });
    server.registerTool(name, { inputSchema }, ({ what }) => work(ledger, name, what));
  }
  return server;
}

/** The same for a server of sdk 1.x. */
export function addProbeTools(server: OldServer, ledger: Ledger): OldServer {
  for (const name of NAMES) {
    const inputSchema = { what: z.string() };
    server.registerTool(name, { inputSchema }, ({ what }) => work(ledger, name, what));
  }
  return server;
}
