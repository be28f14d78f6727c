import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { ModelClient } from '../../src/model/model-client.ts';
import type { Run } from '../../src/run/run.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { type SeededRandom, seededRandom } from '../../src/testing/random.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import {
  bystander,
  Effects,
  effectTools,
  eventsOf,
  mortalAssistant,
  planned,
  quickAssistant,
  settle,
  storesOn,
  textRead,
  typesOf,
} from './workshop.ts';

const answer = Array.from({ length: 40 }, (_, n) => `w${n} `);

function talkative(stores = inProcessStores()) {
  return quickAssistant({
    stores,
    model: scriptedModel(planned([['read', 'read'], ['read']], answer)),
    tools: effectTools(new Effects()),
  });
}

/** Reads a run to its end in pieces of random length, each through a handle of its own. */
async function readInPieces(
  attach: (after?: string) => Run,
  random: SeededRandom,
): Promise<{ readonly events: RunEvent[]; readonly cuts: number }> {
  const events: RunEvent[] = [];
  for (let cuts = 0; ; cuts++) {
    let left = random.integer(0, 12);
    let isCut = false;
    for await (const event of attach(events.at(-1)?.cursor)) {
      if (left-- === 0) {
        isCut = true;
        break;
      }
      events.push(event);
    }
    if (!isCut) return { events, cuts };
    if (random.chance(0.3)) await setImmediate();
  }
}

it('gives identical events and text through 1,000 random cuts of live and of finished runs', async () => {
  await using assistant = talkative();
  let cuts = 0;
  for (let seed = 1; cuts < 1_000; seed++) {
    const random = seededRandom(seed);
    const run = assistant.run('Go on');
    await run[Symbol.asyncIterator]().next();
    const attach = (after?: string) =>
      assistant.attach(run.id, after === undefined ? {} : { after });
    const live = await readInPieces(attach, random);
    const whole = await eventsOf(run);
    const replayed = await readInPieces(attach, random);
    expect(live.events, `seed ${seed}`).toEqual(whole);
    expect(replayed.events, `seed ${seed}`).toEqual(whole);
    expect(textRead(whole)).toBe(answer.join(''));
    cuts += live.cuts + replayed.cuts;
  }
});

it('has nothing more to say to who has seen the end', async () => {
  await using assistant = talkative();
  const run = assistant.run('Go on');
  const last = (await eventsOf(run)).at(-1);
  expect(await eventsOf(assistant.attach(run.id, { after: last?.cursor ?? '' }))).toEqual([]);
});

it('answers a cursor that it cannot serve with one snapshot and then the rest, while the run is live', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  await using assistant = quickAssistant({
    stores,
    clock,
    model: scriptedModel(planned([['write']], ['All ', 'is ', 'done.'])),
    tools: effectTools(new Effects()),
  });
  const foreign = assistant.run('Another', { conversationId: 'other' });
  const run = assistant.run('Go on');
  expect(await settle(clock, run)).toBe('waiting');
  const cursors = ['', 'nonsense', '1-999999', '99-0', '-1--1', 'x'.repeat(10_000), '1-1e3', '0-0'];
  const readers = cursors.map((after) => eventsOf(assistant.attach(run.id, { after })));
  await clock.advance(10);
  const [confirmation] = (await run.result()).confirmations;
  await run.confirm(confirmation?.callId ?? '', { approve: true });
  expect(await settle(clock, run)).toBe('completed');
  await clock.advance(5_000);
  const rest = (await eventsOf(run)).slice(typesOf(await eventsOf(run)).indexOf('confirmation'));
  for (const [index, reader] of readers.entries()) {
    const [snapshot, ...events] = await reader;
    expect(snapshot, `cursor ${index}`).toMatchObject({
      type: 'snapshot',
      status: 'waiting',
      confirmations: [confirmation],
    });
    expect(events).toEqual(rest);
  }
  // Who is cut off between a snapshot and what follows does not miss it.
  const [snapshot] = await eventsOf(assistant.attach(run.id, { after: 'nonsense' }));
  const again = await eventsOf(assistant.attach(run.id, { after: snapshot?.cursor ?? '' }));
  expect(typesOf(again)).toEqual(['snapshot', 'complete']);
  await foreign.cancel();
});

it('answers for a finished run that is not replayed any more with a snapshot and its end', async () => {
  const stores = inProcessStores({ replayRuns: 1 });
  await using assistant = talkative(stores);
  const old = assistant.run('Go on');
  const whole = await eventsOf(old);
  await assistant.run('Again').result();
  await assistant.run('And again').result();
  for (const after of [undefined, whole[5]?.cursor, 'nonsense']) {
    const events = await eventsOf(assistant.attach(old.id, after === undefined ? {} : { after }));
    expect(typesOf(events)).toEqual(['snapshot', 'complete']);
    expect(textRead(events)).toBe(answer.join(''));
    expect(events[1]).toEqual(whole.at(-1));
  }
});

it('answers for a finished run of which the store keeps no more than its end', async () => {
  const stores = inProcessStores({ replayRuns: 1, finishedRuns: 1 });
  await using assistant = talkative(stores);
  const old = assistant.run('Go on');
  const whole = await eventsOf(old);
  await assistant.run('Again').result();
  await assistant.run('And again').result();
  const events = await eventsOf(assistant.attach(old.id));
  expect(typesOf(events)).toEqual(['snapshot', 'complete']);
  expect(textRead(events)).toBe(answer.join(''));
  expect({ ...events[1], at: 0 }).toEqual({ ...whole.at(-1), at: 0 });
  expect(await assistant.attach(old.id).text()).toBe(answer.join(''));
});

it('does not show a run to anybody but its owner', async () => {
  await using assistant = talkative();
  const run = assistant.run('Go on', { userId: 'ann' });
  await run.result();
  for (const stranger of [{ userId: 'eve' }, { userId: 'ann', tenantId: 'other' }, {}]) {
    const events = await eventsOf(assistant.attach(run.id, stranger));
    const unknown = await eventsOf(assistant.attach('run_unknown', stranger));
    expect(events).toMatchObject([{ type: 'error', code: 'not_found', partialText: '' }]);
    expect(unknown).toMatchObject([{ type: 'error', code: 'not_found', partialText: '' }]);
  }
});

it('goes on when everybody leaves', async () => {
  await using assistant = talkative();
  const run = assistant.run('Go on');
  for await (const event of run) if (event.type === 'token') break;
  const abandoned = run[Symbol.asyncIterator]();
  await abandoned.next();
  expect((await run.result()).status).toBe('completed');
});

it('lets a thousand readers that never read cost nothing, and 200 that read get the same', async () => {
  await using assistant = talkative();
  const run = assistant.run('Go on');
  const idle = Array.from({ length: 1_000 }, () =>
    assistant.attach(run.id)[Symbol.asyncIterator](),
  );
  await run[Symbol.asyncIterator]().next();
  const readers = Array.from({ length: 200 }, () => eventsOf(assistant.attach(run.id)));
  const whole = await eventsOf(run);
  for (const events of await Promise.all(readers)) expect(events).toEqual(whole);
  expect((await idle[0]?.next())?.value?.type).toBe('run_started');
});

it('asks the store one question at a beat, however many read how many runs', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const asked: number[] = [];
  const heads: Stores['runs']['heads'] = (runIds) => {
    asked.push(runIds.length);
    return stores.runs.heads(runIds);
  };
  await using assistant = quickAssistant({
    stores: { ...stores, runs: { ...stores.runs, heads } },
    clock,
    model: scriptedModel(planned([['write']], 'Done.')),
    tools: effectTools(new Effects()),
  });
  const runs = Array.from({ length: 100 }, (_, n) =>
    assistant.run('Go on', { conversationId: `c${n}` }),
  );
  const readings = runs.flatMap((run) => [eventsOf(run), eventsOf(run), eventsOf(run)]);
  await clock.advance(1_999);
  expect(asked).toEqual([]);
  await clock.advance(1);
  expect(asked).toEqual([100]);
  for (const run of runs) await run.cancel();
  await clock.advance(10_000);
  await Promise.all(readings);
});

it('tells every listener, whatever another one throws', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  await using assistant = talkative();
  const run = assistant.run('Go on');
  const heard: string[] = [];
  run.on('token', () => {
    throw undefined;
  });
  run.on('token', ({ text }) => heard.push(text));
  const ended = new Promise<void>((resolve) => {
    run.on('complete', () => resolve());
  });
  await ended;
  expect(heard.slice(-answer.length)).toEqual(answer);
  expect(warnings).toHaveBeenCalled();
  warnings.mockRestore();
});

it('gives events in order to who asks for several at once', async () => {
  await using assistant = talkative();
  const run = assistant.run('Go on');
  const iterator = run[Symbol.asyncIterator]();
  const asked = Array.from({ length: 100 }, () => iterator.next());
  const results = await Promise.all(asked);
  const events = results.flatMap(({ value }) => value ?? []);
  expect(events).toEqual(await eventsOf(assistant.attach(run.id)));
  expect(results.at(-1)).toEqual({ done: true, value: undefined });
});

it('rejects nothing unhandled: a result that is left alone, a listener that rejects', async () => {
  const unhandled = vi.fn<(reason: unknown) => void>();
  process.on('unhandledRejection', unhandled);
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const stores = inProcessStores();
  await using assistant = quickAssistant({ stores, model: scriptedModel([]) });
  const run = assistant.run('Go on');
  const results = [run.result(), run.text()];
  const rejecting: () => unknown = async () => {
    throw new Error('not heard');
  };
  run.on('error', rejecting);
  expect(typesOf(await eventsOf(run)).at(-1)).toBe('error');
  await setImmediate();
  await setImmediate();
  expect(unhandled).not.toHaveBeenCalled();
  expect(warnings).toHaveBeenCalledWith(expect.stringContaining('not heard'));
  const outcomes = await Promise.allSettled(results);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  process.off('unhandledRejection', unhandled);
  warnings.mockRestore();
});

it('ends an iteration that is left while it waits', async () => {
  const clock = fakeClock();
  await using assistant = quickAssistant({
    stores: storesOn(clock),
    clock,
    model: scriptedModel([{ text: 'one', stallAfter: 0 }]),
  });
  const run = assistant.run('Go on');
  const iterator = run[Symbol.asyncIterator]() as AsyncIterableIterator<RunEvent, undefined>;
  await iterator.next();
  const waiting = iterator.next();
  await clock.advance(10);
  await iterator.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await run.cancel();
});

it.each(['the process that begins it', 'another process'])(
  'shows a run that was queued from its first word in %s, without waiting for a beat',
  async (where) => {
    const clock = fakeClock();
    const stores = storesOn(clock);
    await using assistant = quickAssistant({
      stores,
      clock,
      model: scriptedModel([{ text: 'first', stallAfter: 0 }, { text: 'one two three' }]),
    });
    await using other = bystander({ stores, clock });
    const first = assistant.run('First', { conversationId: 'c' });
    await clock.advance(0);
    const second = assistant.run('Second', { conversationId: 'c', onBusy: 'queue' });
    await clock.advance(0);
    const reader = where === 'another process' ? other : assistant;
    const reading = eventsOf(reader.attach(second.id));
    await clock.advance(1_000);
    await first.cancel();
    await clock.advance(1);
    expect(typesOf(await reading)).toEqual([
      'snapshot',
      'run_started',
      'token',
      'token',
      'token',
      'usage',
      'complete',
    ]);
  },
);

it('goes on behind a state that the log had not reached yet, without waiting for a beat', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const { liveLog } = stores;
  let misses = 2;
  // As one that others write to: what is stored comes a moment later.
  const late: Stores['liveLog'] = {
    ...liveLog,
    tail: async (key, after) => (misses-- > 0 ? undefined : liveLog.tail(key, after)),
  };
  await using owner = quickAssistant({
    stores,
    clock,
    model: scriptedModel([{ text: ['one', 'two'], stallAfter: 2 }]),
  });
  const { id } = owner.run('Go on');
  await clock.advance(0);
  const other = bystander({ stores: { ...stores, liveLog: late }, clock });
  const reading = other.attach(id)[Symbol.asyncIterator]();
  expect((await reading.next()).value).toMatchObject({ type: 'snapshot' });
  const following = reading.next();
  await clock.advance(30);
  expect((await following).value).toMatchObject({ type: 'token', text: 'one' });
  await owner.cancel(id);
});

it('notices durable events that the live log never showed', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  let isBroken = false;
  const { liveLog } = stores;
  const lossy = {
    ...stores,
    liveLog: {
      ...liveLog,
      open: (...args: Parameters<typeof liveLog.open>) => {
        const writer = liveLog.open(...args);
        return {
          close: () => writer.close(),
          publish: (event: RunEvent) => {
            isBroken ||= event.type === 'tool_request';
            if (!isBroken) writer.publish(event);
          },
        };
      },
    },
  };
  await using assistant = quickAssistant({
    stores: lossy,
    clock,
    model: scriptedModel(planned([['write']], 'Done.')),
    tools: effectTools(new Effects()),
  });
  const { id } = assistant.run('Go on');
  await clock.advance(0);
  const reader = bystander({ stores, clock });
  const run = reader.attach(id);
  const watched = eventsOf(run);
  expect(await settle(clock, run)).toBe('waiting');
  const [confirmation] = (await run.result()).confirmations;
  const { callId = '', argsDigest = '' } = confirmation ?? {};
  await assistant.confirm(id, callId, { approve: true, argsDigest });
  await clock.advance(10_000);
  const events = await watched;
  expect(typesOf(events).at(-1)).toBe('complete');
  expect(textRead(events)).toBe('Done.');
});

it('shows the state of a run when nobody who owned it lived to show its first events', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const first = mortalAssistant({ stores, clock });
  first.points.arm('after_create');
  const { id } = first.assistant.run('Go on');
  await clock.advance(12_000);
  // The second one stores that it goes on, never learns of it, and dies with all that it would have shown.
  const never = new Promise<never>(() => {});
  const append: Stores['runs']['append'] = async (...args) => {
    await stores.runs.append(...args);
    return never;
  };
  const runs: Stores['runs'] = { ...stores.runs, append, renew: () => never };
  const liveLog: Stores['liveLog'] = {
    ...stores.liveLog,
    open: (...args) => {
      const writer = stores.liveLog.open(...args);
      return { close: () => writer.close(), publish: () => {} };
    },
  };
  quickAssistant({ stores: { ...stores, runs, liveLog }, clock, lease: { sweepMs: 1e9 } });
  await clock.advance(12_000);
  await using third = quickAssistant({ stores, clock });
  await clock.advance(12_000);
  const events = await eventsOf(third.attach(id));
  expect(typesOf(events)).toEqual(['snapshot', 'complete']);
});

it('does not give the answer twice when a run ends while its state is shown', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const [speaking, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const model = scriptedModel(async () => {
    await speaking.promise;
    return { text: 'All is done.' };
  });
  await using assistant = quickAssistant({ stores, clock, model });
  const conversations: Stores['conversations'] = {
    ...stores.conversations,
    read: async (...args) => {
      await ending.promise;
      return stores.conversations.read(...args);
    },
  };
  const reader = bystander({ stores: { ...stores, conversations }, clock });
  const { id } = assistant.run('Go on');
  await clock.advance(0);
  // Before its first word it is asked for from a place that the log cannot serve.
  const watched = eventsOf(reader.attach(id, { after: '1-99' }));
  await clock.advance(0);
  speaking.resolve();
  await clock.advance(1);
  ending.resolve();
  await clock.advance(1);
  const events = await watched;
  expect(typesOf(events)).toContain('token');
  expect(textRead(events)).toBe('All is done.');
});

/** The same stores, in which no run ends before it is let. */
function holdingEnds(stores: Stores): { ending: PromiseWithResolvers<void>; held: Stores } {
  const ending = Promise.withResolvers<void>();
  const finish: Stores['runs']['finish'] = async (...args) => {
    await ending.promise;
    return stores.runs.finish(...args);
  };
  return { ending, held: { ...stores, runs: { ...stores.runs, finish } } };
}

it('shows in a snapshot what the last turn said, when the run is only about to end', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const { ending, held } = holdingEnds(stores);
  await using assistant = quickAssistant({ stores: held, clock });
  const { id } = assistant.run('Go on');
  await clock.advance(1);
  const watched = eventsOf(bystander({ stores, clock }).attach(id, { after: '1-99' }));
  await clock.advance(1);
  ending.resolve();
  await clock.advance(1);
  const events = await watched;
  expect(typesOf(events)).toEqual(['snapshot', 'complete']);
  expect(events[0]).toMatchObject({ turn: 1, openText: 'All is done.' });
});

it('tells an answer once, whose provider counts no tokens, to who comes while the run is about to end', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const { ending, held } = holdingEnds(stores);
  const model: ModelClient = {
    async *stream() {
      yield { type: 'text', text: 'All is ' };
      yield { type: 'text', text: 'done.' };
      const unknown = { responseId: null, model: null, usage: null, verbatim: null };
      yield { type: 'finish', reason: 'stop', ...unknown };
    },
  };
  await using assistant = quickAssistant({ stores: held, clock, model });
  const { id } = assistant.run('Go on');
  await clock.advance(1);
  // Its commit has no event: what the log has behind the newest one is the answer.
  const watched = eventsOf(bystander({ stores, clock }).attach(id, { after: '1-99' }));
  await clock.advance(1);
  ending.resolve();
  await clock.advance(1);
  const events = await watched;
  expect(typesOf(events)).toEqual(['snapshot', 'token', 'token', 'complete']);
  expect(textRead(events)).toBe('All is done.');
});
