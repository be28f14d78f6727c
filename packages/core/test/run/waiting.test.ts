import { expect, it } from 'vitest';
import { z } from 'zod';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import { planned, quickAssistant, settle, storesOn } from './workshop.ts';

it('waits for a person only when nothing else is at work or about to start', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const parameters = z.object({}).loose();
  await using assistant = quickAssistant({
    stores,
    clock,
    limits: { maxParallelCalls: 2 },
    model: scriptedModel(planned([['ask', 'work', 'work']], 'Done.')),
    tools: [
      tool({
        name: 'ask',
        description: '',
        parameters,
        effect: 'read',
        execute: (_args, { requestInput }) => requestInput({ message: 'Which?' }),
      }),
      tool({
        name: 'work',
        description: '',
        parameters,
        effect: 'read',
        execute: () => new Promise((resolve) => clock.schedule(() => resolve('worked'), 1_000)),
      }),
    ],
  });
  const run = assistant.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const { inputs, toolCalls } = await run.result();
  expect(toolCalls.map(({ outcome }) => outcome)).toEqual([null, 'succeeded', 'succeeded']);
  await run.answer(inputs[0]?.requestId ?? '', 'this one');
  expect((await run.result()).text).toBe('Done.');
});
