import { expect, it } from 'vitest';
import type { LiveLog } from '../../src/events/live-log.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { ModelClient } from '../../src/model/model-client.ts';
import type { ModelEvent } from '../../src/model/model-events.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { bystander, eventsOf, quickAssistant, storesOn, textRead, typesOf } from './workshop.ts';

const local = { tenantId: 'default', userId: 'local' };
const says = (text: string): ModelEvent => ({ type: 'text', text });
const finish: ModelEvent = {
  type: 'finish',
  reason: 'stop',
  responseId: null,
  model: null,
  usage: null,
  verbatim: null,
};

/** A model that stops in the middle of its answer until it is told to go on. */
function hesitating(before: readonly ModelEvent[], after: readonly ModelEvent[]) {
  const going = Promise.withResolvers<void>();
  const model: ModelClient = {
    async *stream() {
      yield { type: 'start', requestId: null };
      yield* before;
      await going.promise;
      yield* after;
      yield finish;
    },
  };
  return { model, goOn: () => going.resolve() };
}

/** A run in the middle of its answer, whose text was saved since; and somebody else who may look at it. */
async function inMidAnswer(serves: (after: string | undefined) => boolean = () => true) {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const { model, goOn } = hesitating([says('one '), says('two ')], [says('three')]);
  const assistant = quickAssistant({ stores, clock, model });
  const run = assistant.run('Count');
  await clock.advance(1_500);
  const reader = bystander({ stores: withTail(stores, serves), clock });
  const close = async () => {
    await assistant.close();
    await reader.close();
  };
  return { run, stores, clock, reader, goOn, [Symbol.asyncDispose]: close };
}

/** The stores with a live log that serves some cursors only. */
function withTail(stores: Stores, serves: (after: string | undefined) => boolean): Stores {
  const tail: LiveLog['tail'] = async (key, after) =>
    serves(after) ? stores.liveLog.tail(key, after) : undefined;
  return { ...stores, liveLog: { ...stores.liveLog, tail } };
}

it('saves where the text of an open turn ends', async () => {
  await using scene = await inMidAnswer();
  const stored = await scene.stores.runs.load(scene.run.id, local);
  expect(stored?.partial).toEqual({ turn: 1, text: 'one two ', cursor: '1-2' });
  scene.goOn();
  expect(await scene.run.text()).toBe('one two three');
});

it('goes on behind the saved text where the live log has lost what was before it', async () => {
  await using scene = await inMidAnswer((after) => after === '1-2');
  const reading = eventsOf(scene.reader.attach(scene.run.id));
  await scene.clock.advance(0);
  scene.goOn();
  await scene.clock.advance(0);
  const events = await reading;
  expect(typesOf(events)).toEqual(['snapshot', 'token', 'complete']);
  expect(events[0]).toMatchObject({ cursor: '1-2', openText: 'one two ' });
  expect(textRead(events)).toBe('one two three');
});

it('goes on behind the saved text when the live log comes back', async () => {
  let isAway = true;
  await using scene = await inMidAnswer(() => !isAway);
  const reading = eventsOf(scene.reader.attach(scene.run.id));
  await scene.clock.advance(0);
  isAway = false;
  await scene.clock.advance(2_000);
  scene.goOn();
  await scene.clock.advance(0);
  const events = await reading;
  expect(typesOf(events)).toEqual(['snapshot', 'token', 'complete']);
  expect(textRead(events)).toBe('one two three');
});

it('lets who has a snapshot come back behind its text', async () => {
  let isAway = true;
  await using scene = await inMidAnswer(() => !isAway);
  const iterator = scene.reader.attach(scene.run.id)[Symbol.asyncIterator]();
  const seen: RunEvent[] = [];
  const first = await iterator.next();
  if (first.value) seen.push(first.value);
  await iterator.return?.();
  isAway = false;
  const rest = eventsOf(scene.reader.attach(scene.run.id, { after: seen[0]?.cursor }));
  scene.goOn();
  await scene.clock.advance(0);
  seen.push(...(await rest));
  expect(typesOf(seen)).toEqual(['snapshot', 'token', 'complete']);
  expect(textRead(seen)).toBe('one two three');
});

it('does not show text that was taken back since it was saved', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  await using assistant = quickAssistant({
    stores,
    clock,
    model: hesitating([says('Half')], []).model,
  });
  const run = assistant.run('Count');
  await clock.advance(1_500);
  const fence = { runId: run.id, epoch: 1 };
  const reset = {
    type: 'turn_reset',
    ...fence,
    at: 1,
    cursor: '1-9',
    turn: 1,
    reason: '',
  } as const;
  await stores.runs.append(fence, [reset]);
  await using reader = bystander({ stores: withTail(stores, () => false), clock });
  for await (const event of reader.attach(run.id)) {
    expect(event).toMatchObject({ type: 'snapshot', cursor: '1-9', openText: '' });
    break;
  }
  await run.cancel();
});
