import { expect, it } from 'vitest';
import { z } from 'zod';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { Claim, RunRecord, RunStore } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import {
  Effects,
  effectTools,
  eventsOf,
  expectSound,
  planned,
  quickAssistant,
  settle,
  storesOn,
  textRead,
} from './workshop.ts';

/** What this build does not know, in everything that a later one stored. */
const later = { later: { since: 'the next build' } };

function recordOfLaterBuild(run: RunRecord): RunRecord {
  const grown = {
    ...run,
    ...later,
    options: { ...run.options, ...later },
    principal: { ...run.principal, ...later },
    turns: run.turns.map((turn) => ({ ...turn, message: { ...turn.message, ...later }, ...later })),
    calls: run.calls.map((call) => ({ ...call, ...later })),
    inputs: run.inputs.map((input) => ({ ...input, ...later })),
    partial: run.partial && { ...run.partial, ...later },
    usage: { ...run.usage, laterTokens: 7 },
  };
  return grown;
}

/** Stores as this build finds them when the next one has worked with them. */
function storesOfLaterBuild(stores: Stores): Stores {
  const { runs } = stores;
  const grown: Partial<RunStore> = {
    claim: async (...args): Promise<Claim | null> => {
      const claim = await runs.claim(...args);
      return claim && { ...claim, ...later, run: recordOfLaterBuild(claim.run) };
    },
    load: async (...args) => {
      const run = await runs.load(...args);
      return run && recordOfLaterBuild(run);
    },
  };
  return { ...stores, runs: { ...runs, ...grown } };
}

/** Ends an assistant whose runs go on elsewhere. */
async function replace(old: ReturnType<typeof quickAssistant>, clock: FakeClock): Promise<void> {
  const closing = old.close({ drainMs: 0 });
  await clock.advance(0);
  await closing;
}

it('goes on with a run whose record another build has grown', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const build = (of: Stores) =>
    quickAssistant({
      stores: of,
      clock,
      model: scriptedModel(planned([['read'], ['write']], ['All ', 'is done.'])),
      tools: effectTools(effects),
    });
  const one = build(storesOfLaterBuild(stores));
  const run = one.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const [asked] = (await run.result()).confirmations;
  const two = build(stores);
  await replace(one, clock);
  const three = build(storesOfLaterBuild(stores));
  await replace(two, clock);
  const reading = three.attach(run.id);
  const watched = eventsOf(reading);
  await reading.confirm(asked?.callId ?? '', { approve: true });
  expect(await settle(clock, reading)).toBe('completed');
  expect(textRead(await watched)).toBe('All is done.');
  expect(effects.starts).toHaveLength(2);
  await expectSound(stores, run.id);
  await replace(three, clock);
});

it('hands on events of types that it does not know, live and stored', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  await using assistant = quickAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: 'one two', stallAfter: 1 }]),
  });
  const run = assistant.run('Go');
  await clock.advance(100);
  const record = await stores.runs.load(run.id, null);
  const claimed = { runId: run.id, epoch: record?.epoch ?? 0 };
  const place = { runId: run.id, at: clock.now() };
  const unknown = {
    ...place,
    type: 'feeling',
    cursor: '1-900',
    mood: 'fine',
  } as unknown as RunEvent;
  await stores.runs.append(claimed, [unknown]);
  if (record) stores.liveLog.open(record, record.epoch).publish(unknown);
  const seen: string[] = [];
  const reading = assistant.attach(run.id);
  reading.on('cancelled', () => void seen.push('cancelled'));
  const watched = eventsOf(reading);
  await clock.advance(3_000);
  await assistant.cancel(run.id);
  expect(await settle(clock, reading)).toBe('cancelled');
  expect((await watched).map(({ type }) => String(type))).toContain('feeling');
  expect(seen).toEqual(['cancelled']);
  const late = await eventsOf(assistant.attach(run.id, { after: '1-900' }));
  expect(late.at(-1)?.type).toBe('cancelled');
});

const send = (description: string) =>
  tool({
    name: 'send',
    description,
    parameters: z.object({}).loose(),
    execute: () => {
      throw new Error('must not run');
    },
  });

it.each([
  ['is gone', [], 'tool_not_found'],
  ['has changed', [send('Sends it to everybody')], 'tool_changed'],
])(
  'refuses an approved call, with a code, when its tool %s in the build that goes on hours later',
  async (_what, tools, code) => {
    const clock = fakeClock();
    const stores = storesOn(clock);
    const model = () => scriptedModel(planned([['send']], 'It was not sent.'));
    const before = quickAssistant({ stores, clock, model: model(), tools: [send('Sends it')] });
    const run = before.run('Go');
    expect(await settle(clock, run)).toBe('waiting');
    const [asked] = (await run.result()).confirmations;
    await replace(before, clock);
    await clock.advance(8 * 60 * 60_000);
    await using after = quickAssistant({ stores, clock, model: model(), tools });
    const reading = after.attach(run.id);
    await reading.confirm(asked?.callId ?? '', { approve: true });
    expect(await settle(clock, reading)).toBe('completed');
    const { text, toolCalls } = await reading.result();
    expect(text).toBe('It was not sent.');
    expect(toolCalls).toMatchObject([{ outcome: 'failed', code }]);
    await expectSound(stores, run.id);
  },
);

it('goes on within seconds when a person approves eight hours later, with everything replaced', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const build = () =>
    quickAssistant({
      stores,
      clock,
      model: scriptedModel(planned([['write']], 'Done.')),
      tools: effectTools(effects),
    });
  const before = build();
  const run = before.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const [asked] = (await run.result()).confirmations;
  await replace(before, clock);
  await clock.advance(8 * 60 * 60_000);
  await using after = build();
  await after.attach(run.id).confirm(asked?.callId ?? '', { approve: true });
  await clock.advance(2_000);
  expect((await stores.runs.load(run.id, null))?.status).toBe('succeeded');
  expect(effects.starts).toEqual([asked?.callId]);
});
