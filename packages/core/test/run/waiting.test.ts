import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { wait } from '../../src/internal/wait.ts';
import type { Limits } from '../../src/run/run-settings.ts';
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

/** A run whose one call asks something, and how long it works before and after that. */
async function asking(limits: Partial<Limits>, [before, after] = [0, 0]) {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const settings = {
    stores,
    clock,
    limits,
    model: scriptedModel(planned([['ask']], 'Done.')),
    tools: [
      tool({
        name: 'ask',
        description: '',
        parameters: z.object({}).loose(),
        effect: 'read',
        execute: async (_args, { requestInput, signal }) => {
          await wait(clock, before, signal);
          const answer = await requestInput({ message: 'Which?' });
          await wait(clock, after, signal);
          return answer;
        },
      }),
    ],
  };
  const assistant = quickAssistant(settings);
  onTestFinished(() => assistant.close());
  const run = assistant.run('Go');
  await clock.advance(before);
  expect(await settle(clock, run)).toBe('waiting');
  const { inputs } = await run.result();
  /** The process ends, and another one goes on with the run. */
  const replace = async () => {
    const closing = assistant.close({ drainMs: 0 });
    await clock.advance(0);
    await closing;
    const next = quickAssistant(settings);
    onTestFinished(() => next.close());
    await clock.advance(10);
    return next.attach(run.id);
  };
  return { clock, run, replace, requestId: inputs[0]?.requestId ?? '' };
}

it('takes the time in which a person thinks about a question from no deadline', async () => {
  const { clock, run, requestId } = await asking({ runTimeoutMs: 60_000, toolTimeoutMs: 30_000 });
  await clock.advance(3_600_000);
  await run.answer(requestId, 'this one');
  await clock.advance(0);
  expect(await run.result()).toMatchObject({ text: 'Done.', finishReason: 'stop' });
});

it.each([
  [15_000, 'stop'],
  [25_000, 'deadline'],
])(
  'goes on counting where it stopped when the person has answered: %i ms more',
  async (after, end) => {
    const limits = { runTimeoutMs: 60_000, toolTimeoutMs: 50_000 };
    const { clock, run, requestId } = await asking(limits, [40_000, after]);
    await clock.advance(3_600_000);
    await run.answer(requestId, 'this one');
    await clock.advance(after);
    expect(await run.result()).toMatchObject({ finishReason: end });
  },
);

it('asks no longer than a person may take for a confirmation', async () => {
  const { clock, run } = await asking({ decideWithinMs: 120_000, runTimeoutMs: 60_000 });
  await clock.advance(119_000);
  expect(await settle(clock, run)).toBe('waiting');
  await clock.advance(2_000);
  const { text, toolCalls } = await run.result();
  expect(text).toBe('Done.');
  expect(toolCalls).toMatchObject([{ outcome: 'failed', code: 'confirmation_expired' }]);
});

it('gives the time of a question back to a run that goes on in another process, before or after the answer', async () => {
  const limits = { runTimeoutMs: 60_000 };
  for (const isEarly of [true, false]) {
    const { clock, run, replace, requestId } = await asking(limits, [0, 30_000]);
    await clock.advance(3_600_000);
    if (isEarly) await run.answer(requestId, 'this one');
    const next = await replace();
    await clock.advance(isEarly ? 0 : 3_600_000);
    if (!isEarly) await next.answer(requestId, 'this one');
    await clock.advance(30_000);
    expect(await next.result()).toMatchObject({ text: 'Done.', finishReason: 'stop' });
  }
});

it('asks no longer than that when the process changes meanwhile', async () => {
  const { clock, replace } = await asking({ decideWithinMs: 120_000, runTimeoutMs: 60_000 });
  await clock.advance(100_000);
  const next = await replace();
  await clock.advance(18_000);
  expect(await settle(clock, next)).toBe('waiting');
  await clock.advance(3_000);
  expect(await settle(clock, next)).toBe('completed');
  const { toolCalls } = await next.result();
  expect(toolCalls).toMatchObject([{ outcome: 'failed', code: 'confirmation_expired' }]);
});
