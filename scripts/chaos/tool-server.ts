// The world outside: tools that have effects, each of them noted in a ledger that outlives everybody.
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@steward/core/testing';
import type { LedgerEntry, ToolOrder } from './ledger.ts';
import { reportReady } from './reporting.ts';

const [seed = '', ledgerFile = ''] = process.argv.slice(2);
writeFileSync(ledgerFile, '');
const random = seededRandom(Number(seed));
/** What the first call under a key came to. */
const known = new Map<string, string>();

async function perform(order: ToolOrder): Promise<string> {
  await wait(random.integer(0, 30));
  if (random.chance(0.03)) throw new Error('The tool broke before it did anything.');
  const before = order.tool === 'write_idempotent' ? known.get(order.key) : undefined;
  const entry: LedgerEntry = { ...order, at: Date.now(), isApplied: before === undefined };
  appendFileSync(ledgerFile, `${JSON.stringify(entry)}\n`);
  const said = before ?? `${order.tool} ${order.key} is done`;
  known.set(order.key, said);
  // The answer may find nobody any more: what was done is done.
  await wait(random.integer(0, 30));
  return said;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const server = createServer((request, response) => {
  bodyOf(request)
    .then((body) => perform(JSON.parse(body) as ToolOrder))
    .then(
      (said) => response.end(said),
      (reason: unknown) => response.writeHead(500).end(String(reason)),
    );
});
server.listen(0, '127.0.0.1', () => {
  reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
