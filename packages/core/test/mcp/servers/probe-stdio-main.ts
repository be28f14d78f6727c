import { appendFileSync } from 'node:fs';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { addProbeTools, fileLedger, probeServer } from './probe-tools.ts';

const [era, ledgerFile = '', pidFile = ''] = process.argv.slice(2);
appendFileSync(pidFile, `${process.pid}\n`);
const ledger = fileLedger(ledgerFile);
if (era === 'modern') serveStdio(() => probeServer(ledger));
else {
  const server = addProbeTools(new OldServer({ name: 'probe', version: '1.0.0' }), ledger);
  await server.connect(new StdioServerTransport());
}
