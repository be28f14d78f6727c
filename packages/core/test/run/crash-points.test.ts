import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Assistant } from '../../src/assistant.ts';
import { type CrashPointName, crashPointNames } from '../../src/internal/crash-point.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool, ToolContext } from '../../src/tools/tool.ts';
import {
  bystander,
  Effects,
  effectTools,
  eventsOf,
  expectSound,
  mortalAssistant,
  planned,
  quickAssistant,
  settle,
  storesOn,
  textRead,
  typesOf,
  until,
} from './workshop.ts';

type Kind = 'read' | 'write_idempotent' | 'write';

/** Lives through a run whose owners die at the given points one after the other, and approves what is asked. */
async function survive(kind: Kind, deaths: readonly CrashPointName[]) {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const settings = () => ({
    stores,
    clock,
    model: scriptedModel(planned([[kind]], ['All ', 'is ', 'done.'])),
    tools: effectTools(effects),
  });
  const owners: Assistant[] = [];
  const next = () => {
    const name = deaths[owners.length];
    if (name === undefined) return void owners.push(quickAssistant(settings()));
    const { assistant, points } = mortalAssistant(settings());
    points.arm(name);
    owners.push(assistant);
    void (async () => {
      await points.died;
      next();
    })();
  };
  next();
  const started = owners[0]?.run('Do it');
  await clock.advance(0);
  const reader = bystander({ stores, clock });
  const run = reader.attach(started?.id ?? '');
  const watched = eventsOf(run);
  for (let pauses = 0; (await settle(clock, run)) === 'waiting'; pauses++) {
    expect(pauses, 'asked again and again').toBeLessThan(4);
    for (const { callId, argsDigest } of (await run.result()).confirmations) {
      // The newest owner decides, so that it is the one who goes on, and may die of it.
      void owners.at(-1)?.confirm(run.id, callId, { approve: true, argsDigest });
    }
    await clock.advance(0);
  }
  const result = await run.result();
  const events = await expectSound(stores, run.id);
  await clock.advance(2_000);
  expect(await watched).toContainEqual(events.at(-1));
  expect(textRead(await watched)).toBe(result.text);
  return { events, effects, result };
}

/** What becomes of a call whose first owner dies at this point, and how often its effect is asked for. */
function fate(kind: Kind, name: CrashPointName): { outcome: string; effects: number } {
  if (kind !== 'write') return { outcome: 'succeeded', effects: name === 'after_effect' ? 2 : 1 };
  if (name === 'after_start_call') return { outcome: 'unknown', effects: 0 };
  return { outcome: name === 'after_effect' ? 'unknown' : 'succeeded', effects: 1 };
}

for (const kind of ['read', 'write_idempotent', 'write'] as const) {
  it.each(crashPointNames)(
    `${kind}: an owner that dies at %s loses nothing and repeats nothing that must not be`,
    async (name) => {
      const { events, effects, result } = await survive(kind, [name]);
      expect(result).toMatchObject({ status: 'completed', text: 'All is done.' });
      const [call] = result.toolCalls;
      const key = effects.starts[0] ?? '';
      expect(new Set(effects.starts).size).toBeLessThanOrEqual(1);
      expect(new Set(effects.starts).size).toBeLessThanOrEqual(1);
      expect({ outcome: call?.outcome, effects: effects.count(key) }).toEqual(fate(kind, name));
      expect(typesOf(events).filter((type) => type === 'tool_result')).toHaveLength(1);
    },
  );
}

it('survives every pair of deaths, one after the other', async () => {
  for (const first of crashPointNames) {
    for (const second of crashPointNames) {
      const { result, effects } = await survive('write', [first, second]);
      expect(result.text, `${first}, ${second}`).toBe('All is done.');
      expect(effects.starts.length, `${first}, ${second}`).toBeLessThanOrEqual(1);
      expect(['succeeded', 'unknown']).toContain(result.toolCalls[0]?.outcome);
    }
  }
});

it('tells the model and the person of an unknown outcome, once, and a tool that can tell settles it', async () => {
  for (const [succeeded, outcome] of [
    [true, 'succeeded'],
    [false, 'failed'],
    [undefined, 'unknown'],
  ] as const) {
    const clock = fakeClock();
    const stores = storesOn(clock);
    let sent = 0;
    const asked: string[] = [];
    const model = scriptedModel(planned([['send'], []], 'Told.'));
    const settings = {
      stores,
      clock,
      model,
      tools: [
        tool({
          name: 'send',
          description: '',
          parameters: z.object({}).loose(),
          confirm: 'never',
          execute: () => {
            sent += 1;
          },
          reconcile: (callId) => {
            asked.push(callId);
            return succeeded === undefined ? undefined : { succeeded, content: { at: 'noon' } };
          },
        }),
      ],
    };
    const { assistant, points } = mortalAssistant(settings);
    points.arm('after_effect');
    const run = assistant.run('Send it');
    await points.died;
    await using second = quickAssistant(settings);
    const reading = second.attach(run.id);
    expect(await settle(clock, reading)).toBe('completed');
    const { toolCalls } = await reading.result();
    expect(sent).toBe(1);
    expect(asked).toEqual([toolCalls[0]?.callId]);
    expect(toolCalls[0]?.outcome).toBe(outcome);
    const heard = model.requests.at(-1)?.messages.find((message) => message.role === 'tool');
    expect(heard?.content).toContain(succeeded === undefined ? 'not repeated' : '"at":"noon"');
    await expectSound(stores, run.id);
  }
});

it('ends with the answer that an earlier owner committed: the model is not asked again', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const model = scriptedModel([{ text: 'All done.' }]);
  const { assistant, points } = mortalAssistant({ stores, clock, model });
  points.arm('before_finish');
  const run = assistant.run('Do it');
  await points.died;
  await using second = quickAssistant({ stores, clock, model });
  const reading = second.attach(run.id);
  const watched = eventsOf(reading);
  expect(await settle(clock, reading)).toBe('completed');
  expect(await reading.result()).toMatchObject({ text: 'All done.', finishReason: 'stop' });
  expect(model.requests).toHaveLength(1);
  expect(textRead(await watched)).toBe('All done.');
  expect(typesOf(await watched)).not.toContain('turn_reset');
  await expectSound(stores, run.id);
});

it('answers what was steered behind an answer whose owner died before it took another turn', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const model = scriptedModel([{ text: 'All done.' }, { text: 'And that.' }]);
  const { assistant, points } = mortalAssistant({ stores, clock, model });
  points.arm('before_finish');
  const run = assistant.run('Do it');
  await points.died;
  await using second = quickAssistant({ stores, clock, model });
  await second.steer(run.id, 'That as well');
  const reading = second.attach(run.id);
  expect(await settle(clock, reading)).toBe('completed');
  expect((await reading.result()).text).toBe('And that.');
  expect(model.requests).toHaveLength(2);
  await expectSound(stores, run.id);
});

it('gives a run up after its owners died five times without progress', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const settings = {
    stores,
    clock,
    model: scriptedModel(planned([['read']])),
    tools: effectTools(effects),
  };
  const next = () => {
    const { assistant, points } = mortalAssistant(settings);
    points.arm('after_effect');
    void (async () => {
      await points.died;
      next();
    })();
    return assistant;
  };
  const { id } = next().run('Do it');
  await clock.advance(0);
  expect(await settle(clock, bystander(settings).attach(id))).toBe('crash_loop');
  const events = await expectSound(stores, id);
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'crash_loop' });
  expect(effects.starts).toHaveLength(6);
});

it('keeps what was said before the last owner died, when the run is cancelled then', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const { assistant, points } = mortalAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: 'one two three four', stallAfter: 3 }]),
  });
  points.arm('before_finish');
  const run = assistant.run('Count');
  await clock.advance(3_000);
  await using second = quickAssistant({ stores, clock });
  void assistant.close({ drainMs: 0 });
  const reading = second.attach(run.id);
  await clock.advance(0);
  await reading.cancel();
  expect(await settle(clock, reading)).toBe('cancelled');
  expect((await reading.result()).text).toBe('one two three');
  await expectSound(stores, run.id);
});

it('takes back what was said when a run goes on in another process after an orderly end', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const first = quickAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: 'one two three four', stallAfter: 2 }]),
  });
  const run = first.run('Count');
  await using second = quickAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: 'one two three four' }]),
  });
  await clock.advance(0);
  const reading = eventsOf(second.attach(run.id));
  await clock.advance(100);
  const closing = first.close({ drainMs: 1_000 });
  await clock.advance(2_000);
  await closing;
  expect(await settle(clock, second.attach(run.id))).toBe('completed');
  const events = await reading;
  expect(typesOf(events)).toContain('turn_reset');
  expect(textRead(events)).toBe('one two three four');
});

it('lets a write end when its process has to, and gives everything else up at once', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const aborted: string[] = [];
  let endWrite = () => {};
  const written = new Promise<void>((resolve) => {
    endWrite = resolve;
  });
  const work = async ({ signal, callId }: ToolContext) => {
    signal.addEventListener('abort', () => aborted.push(callId));
    await written;
  };
  const settings = { stores, clock, limits: { cancelGraceMs: 4_000 } };
  const plan = { model: scriptedModel(planned([['read', 'write_idempotent', 'write']])) };
  const waive = (tools: readonly Tool[]) =>
    tools.map((one) => ({ ...one, confirm: 'never' }) as Tool);
  const first = quickAssistant({ ...settings, ...plan, tools: waive(effectTools(effects, work)) });
  const run = first.run('Go');
  await clock.advance(0);
  await until(() => effects.starts.length === 3);
  await using second = quickAssistant({
    ...settings,
    model: scriptedModel(planned([['read', 'write_idempotent', 'write']])),
    tools: waive(effectTools(effects)),
  });
  const closing = first.close({ drainMs: 500 });
  await clock.advance(2_000);
  const calls = (await stores.runs.load(run.id, null))?.calls ?? [];
  const write = calls.find(({ effect }) => effect === 'write');
  expect(aborted.toSorted()).toEqual(
    calls.flatMap(({ callId, effect }) => (effect === 'write' ? [] : [callId])).toSorted(),
  );
  endWrite();
  await clock.advance(100);
  await closing;
  expect(await settle(clock, second.attach(run.id))).toBe('completed');
  expect(effects.count(write?.callId ?? '')).toBe(1);
  const ended = await stores.runs.load(run.id, null);
  expect(ended?.calls.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect(effects.starts).toHaveLength(5);
  await expectSound(stores, run.id);
});

it('fences a zombie: it writes, publishes and starts nothing more when it wakes up', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const done: string[] = [];
  let wakeUp = () => {};
  const asleep = new Promise<void>((resolve) => {
    wakeUp = resolve;
  });
  const tools = (who: string) => [
    tool({
      name: 'look',
      description: '',
      parameters: z.object({}).loose(),
      effect: 'read',
      execute: async () => {
        done.push(who);
        if (who === 'zombie') await asleep;
        return who;
      },
    }),
  ];
  const model = () => scriptedModel(planned([['look'], ['look']], 'Seen.'));
  // Its store calls hang while it is frozen, as those of a stopped process do.
  let thaw = () => {};
  const frozen = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  const calls: string[] = [];
  let isFrozen = false;
  const runs = new Proxy(stores.runs, {
    get:
      (target, name: keyof typeof stores.runs) =>
      async (...args: never[]) => {
        if (isFrozen) await frozen;
        if (isFrozen) calls.push(name);
        return (target[name] as (...args: never[]) => unknown)(...args);
      },
  });
  const zombie = quickAssistant({
    stores: { ...stores, runs },
    clock,
    model: model(),
    tools: tools('zombie'),
  });
  const run = zombie.run('Look');
  await clock.advance(100);
  expect(done).toEqual(['zombie']);
  isFrozen = true;
  await using owner = quickAssistant({ stores, clock, model: model(), tools: tools('owner') });
  const reading = owner.attach(run.id);
  expect(await settle(clock, reading)).toBe('completed');
  const before = await eventsOf(owner.attach(run.id));
  wakeUp();
  thaw();
  await clock.advance(30_000);
  expect(done).toEqual(['zombie', 'owner', 'owner']);
  expect(await eventsOf(owner.attach(run.id))).toEqual(before);
  expect(calls).not.toContain('commitTurn');
  await expectSound(stores, run.id);
  await zombie.close({ drainMs: 0 });
});
