import { expect, it } from 'vitest';
import { z } from 'zod';
import { Assistant } from '../../src/assistant.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';

it('asks before a write, runs it once when approved, and answers', async () => {
  const sent: string[] = [];
  const model = scriptedModel([
    { toolCalls: [{ name: 'send_email', args: { to: 'ann@example.com' } }] },
    { text: ['It is ', 'sent.'] },
  ]);
  await using assistant = new Assistant({
    model,
    tools: [
      tool({
        name: 'send_email',
        description: 'Send an e-mail',
        parameters: z.object({ to: z.string() }),
        execute: ({ to }) => {
          sent.push(to);
          return { ok: true };
        },
      }),
    ],
  });
  const run = assistant.run('Write to Ann');
  const waiting = await run.result();
  expect(waiting.status).toBe('waiting');
  expect(sent).toEqual([]);
  const [confirmation] = waiting.confirmations;
  expect(confirmation).toMatchObject({ tool: 'send_email', args: { to: 'ann@example.com' } });
  await run.confirm(confirmation?.callId ?? '', { approve: true });
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  expect(events.map((event) => event.type)).toEqual([
    'run_started',
    'usage',
    'tool_request',
    'confirmation',
    'tool_started',
    'tool_result',
    'token',
    'token',
    'usage',
    'complete',
  ]);
  expect(sent).toEqual(['ann@example.com']);
  expect(await run.result()).toMatchObject({ status: 'completed', text: 'It is sent.' });
});
