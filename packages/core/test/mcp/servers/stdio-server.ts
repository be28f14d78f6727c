import { appendFileSync } from 'node:fs';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { makeServer } from './tools.ts';

const ledger = process.env['LEDGER'];
process.stderr.write('x'.repeat(Number(process.env['STDERR_BYTES'] ?? 0)));
if (process.env['GARBAGE'] !== undefined) process.stdout.write('this is not JSON-RPC\n');
if (process.env['STUBBORN'] !== undefined) {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1_000);
}
serveStdio(() =>
  makeServer((line) => {
    if (ledger !== undefined) appendFileSync(ledger, `${line}\n`);
  }),
);
