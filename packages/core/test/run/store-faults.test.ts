import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import { StewardError } from '../../src/errors/steward-error.ts';
import type { ModelClient } from '../../src/model/model-client.ts';
import type { ModelFinish } from '../../src/model/model-events.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { RunStore } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import {
  bystander,
  Effects,
  effectTools,
  eventsOf,
  expectSound,
  planned,
  quickAssistant,
  settle,
  storesOn,
  textRead,
  typesOf,
} from './workshop.ts';

/** Stores whose run store answers some verbs otherwise. */
function withRuns(stores: Stores, changed: Partial<RunStore>): Stores {
  const runs = new Proxy(stores.runs, {
    get: (target, name: keyof RunStore) => changed[name] ?? target[name],
  });
  return { ...stores, runs };
}

const away = () => Promise.reject(new StewardError('store_unavailable', 'It is away.'));
const finished: ModelFinish = {
  type: 'finish',
  reason: 'tool_calls',
  responseId: null,
  model: null,
  usage: null,
  verbatim: null,
};
const never = () => new Promise<never>(() => {});

it.each([
  ['answers nothing', never],
  ['refuses', away],
])('fences itself before its lease runs out when the store %s', async (_what, renew) => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const owner = quickAssistant({
    stores: withRuns(stores, { renew }),
    clock,
    lease: { ttlMs: 10_000 },
    model: scriptedModel(planned([['wait']])),
    tools: [
      tool({
        name: 'wait',
        description: '',
        parameters: z.object({}).loose(),
        effect: 'read',
        execute: (_args, { signal }) => {
          const began = clock.now();
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              told(clock.now() - began);
              reject(signal.reason);
            });
          });
        },
      }),
    ],
  });
  const { promise: heard, resolve: told } = Promise.withResolvers<number>();
  const run = owner.run('Go');
  await clock.advance(10_000);
  expect(await heard).toBeLessThan(10_000);
  const closing = owner.close({ drainMs: 0 });
  await clock.advance(0);
  await closing;
  expect(await run.result().catch((reason: StewardError) => reason.code)).toBe('closed');
  expect((await stores.runs.load(run.id, null))?.status).toBe('running');
});

it('stops the model and the tools of a run a beat before its lease runs out, not at some later beat', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const stopped: number[] = [];
  const note = (signal: AbortSignal) =>
    signal.addEventListener('abort', () => stopped.push(clock.now()), { once: true });
  const model: ModelClient = {
    async *stream({ messages }, { signal }) {
      yield { type: 'start', requestId: null };
      if (messages.at(-1)?.content === 'Speak') {
        note(signal);
        await never();
      }
      yield { type: 'tool_call', id: '1', name: 'wait', argumentsText: '{}', custom: false };
      yield finished;
    },
  };
  let answers = 2;
  const owner = quickAssistant({
    stores: withRuns(stores, {
      renew: (...args) => (answers-- > 0 ? stores.runs.renew(...args) : never()),
    }),
    clock,
    lease: { ttlMs: 10_000, beatMs: 3_000, sweepMs: 1e9 },
    model,
    tools: [
      tool({
        name: 'wait',
        description: '',
        parameters: z.object({}),
        effect: 'write',
        confirm: 'never',
        execute: (_args, { signal }) => {
          note(signal);
          return never();
        },
      }),
    ],
  });
  const runs = [owner.run('Speak'), owner.run('Act')];
  // Renewed at 3 and 6 seconds: good until 16, and given up at 13, less what the store took to answer.
  await clock.advance(12_500);
  expect(stopped).toEqual([]);
  await clock.advance(500);
  expect(stopped).toHaveLength(2);
  for (const { id } of runs) {
    expect(await stores.runs.load(id, null)).toMatchObject({ status: 'running', epoch: 1 });
  }
  const closing = owner.close({ drainMs: 0 });
  await clock.advance(0);
  await closing;
});

it('does not keep a run from others that it has given up, when the store is back and its last write hangs', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  let isAway = true;
  const owner = quickAssistant({
    stores: withRuns(stores, {
      renew: (...args) => (isAway ? away() : stores.runs.renew(...args)),
      commitTurn: never,
    }),
    clock,
    lease: { sweepMs: 1e9 },
  });
  const { id } = owner.run('Go');
  // Given up after eight seconds, when the lease is good for another two.
  await clock.advance(8_500);
  isAway = false;
  await using next = quickAssistant({ stores, clock });
  expect(await settle(clock, next.attach(id))).toBe('completed');
  const closing = owner.close({ drainMs: 0 });
  await clock.advance(10_000);
  await closing;
});

it('offers a run again that its engine did not take, as soon as the engine is back', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const clock = fakeClock();
  const stores = storesOn(clock);
  const engine = new InProcessEngine({ clock });
  let isAway = false;
  await using assistant = quickAssistant({
    stores,
    clock,
    model: scriptedModel(planned([['write']])),
    tools: effectTools(new Effects()),
    engine: {
      isShared: false,
      enqueue: async (wake) => {
        if (isAway) throw new StewardError('store_unavailable', 'It is away.');
        await engine.enqueue(wake);
      },
      start: (handler) => engine.start(handler),
      stop: (drainMs, until) => engine.stop(drainMs, until),
      stats: () => engine.stats(),
    },
  });
  const run = assistant.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const [asked] = (await run.result()).confirmations;
  isAway = true;
  await run.confirm(asked?.callId ?? '', { approve: true });
  await clock.advance(3_000);
  isAway = false;
  // Much sooner than a sweep looks for runs that were queued and forgotten.
  await clock.advance(1_500);
  expect((await stores.runs.load(run.id, null))?.status).toBe('succeeded');
  expect(warnings).toHaveBeenCalledTimes(1);
  warnings.mockRestore();
});

it('leaves a run to its next owner when the store goes away in the middle', async () => {
  for (const verb of ['commitTurn', 'startCall', 'finishCall', 'finish', 'append'] as const) {
    const clock = fakeClock();
    const stores = storesOn(clock);
    const effects = new Effects();
    let left = 1;
    const stumble = {
      [verb]: (...args: never[]) => {
        const call = stores.runs[verb] as (...args: never[]) => Promise<unknown>;
        return left-- === 1 ? away() : call(...args);
      },
    };
    await using assistant = quickAssistant({
      stores: withRuns(stores, stumble),
      clock,
      model: scriptedModel(planned([['read']], ['All ', 'is ', 'done.'])),
      tools: effectTools(effects),
    });
    const run = assistant.run('Go');
    const watched = eventsOf(run);
    await clock.advance(0);
    expect(await settle(clock, run), `${verb}`).toBe('completed');
    await clock.advance(5_000);
    expect(textRead(await watched), `${verb}`).toBe('All is done.');
    await expectSound(stores, run.id);
    expect(effects.starts.length).toBe(verb === 'finishCall' ? 2 : 1);
  }
});

it('keeps readers waiting while the store is away, and tells them the end when it is back', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  let isAway = false;
  const heads: RunStore['heads'] = (ids) => (isAway ? away() : stores.runs.heads(ids));
  const load: RunStore['load'] = (...args) => (isAway ? away() : stores.runs.load(...args));
  await using owner = quickAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: 'one two', stallAfter: 1 }]),
  });
  const { id } = owner.run('Go');
  await clock.advance(0);
  const reader = bystander({
    stores: {
      ...withRuns(stores, { heads, load }),
      liveLog: { ...stores.liveLog, tail: async () => undefined },
    },
    clock,
  });
  const watched = eventsOf(reader.attach(id));
  await clock.advance(1_500);
  isAway = true;
  await clock.advance(60_000);
  isAway = false;
  await clock.advance(5_000);
  const events = await watched;
  expect(new Set(typesOf(events))).toEqual(new Set(['snapshot', 'complete']));
  expect(textRead(events)).toBe('one');
});

it('hears of a steer although the store was away when it looked', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  let failures = 1;
  const load: RunStore['load'] = (...args) =>
    failures-- === 1 ? away() : stores.runs.load(...args);
  const model = scriptedModel(planned([['read']], 'Done.'));
  await using owner = quickAssistant({
    stores: withRuns(stores, { load }),
    clock,
    model,
    tools: effectTools(
      new Effects(),
      () => new Promise<void>((resolve) => clock.schedule(resolve, 9_000)),
    ),
  });
  const { id } = owner.run('Go');
  await clock.advance(0);
  await bystander({ stores, clock }).steer(id, 'Be short.');
  expect(await settle(clock, bystander({ stores, clock }).attach(id))).toBe('completed');
  expect(model.requests[1]?.messages.at(-1)).toEqual({ role: 'user', content: 'Be short.' });
});

it('does not fail a decision because the engine is away: a sweep brings the run back', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const settings = {
    stores,
    clock,
    model: scriptedModel(planned([['write']])),
    tools: effectTools(effects),
  };
  await using owner = quickAssistant(settings);
  const run = owner.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const [confirmation] = (await run.result()).confirmations;
  const { callId = '', argsDigest = '' } = confirmation ?? {};
  const other = quickAssistant({
    ...settings,
    engine: {
      isShared: false,
      enqueue: () => Promise.reject(new Error('Redis is away')),
      start: async () => {},
      stop: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    },
    lease: { sweepMs: 1e9 },
  });
  await other.confirm(run.id, callId, { approve: true, argsDigest });
  expect(warnings).toHaveBeenCalledTimes(1);
  warnings.mockRestore();
  expect(await settle(clock, run)).toBe('completed');
  expect(effects.starts).toEqual([callId]);
});

it('ends when it is closed although the store does not answer', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const assistant = quickAssistant({
    stores: withRuns(stores, { commitTurn: never }),
    clock,
    limits: { cancelGraceMs: 1_000 },
  });
  assistant.run('Go');
  await clock.advance(0);
  const closing = assistant.close({ drainMs: 1_000 });
  await clock.advance(3_000);
  await closing;
  expect(clock.pending).toEqual([]);
});

it('does not take text that was saved late for that of an open turn', async () => {
  const stores = inProcessStores();
  await using assistant = quickAssistant({
    stores: {
      ...withRuns(stores, {
        load: async (runId, owner) => {
          const run = await stores.runs.load(runId, owner);
          return run && { ...run, partial: { turn: 1, text: 'Let me', cursor: '1-9' } };
        },
      }),
      liveLog: { ...stores.liveLog, tail: async () => undefined },
    },
    model: scriptedModel(planned([['write']])),
    tools: effectTools(new Effects()),
  });
  const run = assistant.run('Go');
  expect(await run.result()).toMatchObject({ status: 'waiting', text: 'Let me see.' });
  for await (const event of assistant.attach(run.id)) {
    expect(event).toMatchObject({ type: 'snapshot', turn: 1, openText: 'Let me see.' });
    break;
  }
});
