import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { programs } from './pool.ts';
import { folder, node } from './stdio-fixture.ts';

async function box() {
  const ledger = join(await folder(), 'ledger');
  await writeFile(ledger, '');
  const mcp = { box: { command: node, args: [programs.current], env: { LEDGER: ledger } } };
  return { mcp, ledger: () => readFileSync(ledger, 'utf8') };
}

test('an approved call of a server runs in an assistant that has not met the server yet', async () => {
  const stores = inProcessStores();
  const { mcp, ledger } = await box();
  const script = [
    { toolCalls: [{ name: 'box__append', args: { line: 'one' } }] },
    { text: 'Done.' },
  ];
  const first = new Assistant({ model: scriptedModel(script), mcp, stores });
  const { id } = first.run('Append one');
  const { confirmations } = await first.attach(id).result();
  await first.close();
  expect(ledger()).toBe('');

  await using second = new Assistant({ model: scriptedModel(script.slice(1)), mcp, stores });
  const run = second.attach(id);
  await run.confirm(confirmations[0]?.callId ?? '', { approve: true });
  expect(await run.text()).toBe('Done.');
  expect(ledger()).toMatch(/^append one call_\w+\n$/);
});

test('the host calls a tool of a server that was not needed before', async () => {
  const { mcp, ledger } = await box();
  await using assistant = new Assistant({ model: scriptedModel([]), mcp });
  const run = assistant.call('box__append', { line: 'two' });
  const { confirmations } = await run.result();
  await run.confirm(confirmations[0]?.callId ?? '', { approve: true });
  await run.result();
  expect(ledger()).toMatch(/^append two call_\w+\n$/);
});
