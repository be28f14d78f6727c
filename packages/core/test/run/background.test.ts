import { expect, it } from 'vitest';
import { collectTurn } from '../../src/model/collect-turn.ts';
import { openaiModel } from '../../src/model/openai-model.ts';
import type { AssistantOptions } from '../../src/options.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import type { OpenAiReply } from '../../src/testing/openai-reply.ts';
import { startOpenAiServer } from '../../src/testing/openai-server.ts';
import {
  Effects,
  effectTools,
  eventsOf,
  expectSound,
  quickAssistant,
  storesOn,
  textRead,
  typesOf,
  until,
} from './workshop.ts';

// What is loaded when first used is loaded now: `until` does not wait for files.
await using warm = await startOpenAiServer({ reply: [{ text: 'Hello' }] });
const warmModel = openaiModel({ model: 'm', apiKey: 'k', baseURL: warm.baseURL });
const signal = AbortSignal.timeout(60_000);
await collectTurn(warmModel.stream({ messages: [], tools: [] }, { signal }));

const words = ['one ', 'two ', 'three ', 'four'];

/** A provider that makes answers in the background, and assistants over the same stores that use it. */
async function provider(reply: readonly OpenAiReply[]) {
  const server = await startOpenAiServer({ reply });
  const clock = fakeClock();
  const stores = storesOn(clock);
  const model = () =>
    openaiModel({ model: 'm', apiKey: 'k', baseURL: server.baseURL, background: true });
  const assistant = (options: Partial<AssistantOptions> = {}) =>
    quickAssistant({ clock, model: model(), ...options, stores: options.stores ?? stores });
  return { server, clock, stores, assistant, [Symbol.asyncDispose]: () => server.close() };
}

type Provider = Awaited<ReturnType<typeof provider>>;

/** A run whose owner has told the first words of an answer, and the store of which answer. */
async function begun({ assistant, stores }: Provider, options?: Partial<AssistantOptions>) {
  const owner = assistant(options);
  const run = owner.run('Count');
  await until(async () => (await stores.runs.load(run.id, null))?.partial?.responseId === 'resp_1');
  return { owner, run };
}

/** Time passes until the run has ended; what travels over HTTP needs real time as well. */
async function ended({ stores, clock }: Provider, runId: string) {
  await until(async () => {
    await clock.advance(200);
    return (await stores.runs.load(runId, null))?.end != null;
  });
  return expectSound(stores, runId);
}

it('reads on, and asks nothing again, when a run changes its owner in the middle of an answer', async () => {
  await using all = await provider([{ text: words, stallAfter: 2 }]);
  const { owner, run } = await begun(all);
  await using next = all.assistant();
  const reading = eventsOf(next.attach(run.id));
  const closing = owner.close({ drainMs: 0 });
  await ended(all, run.id);
  await closing;
  expect(textRead(await reading)).toBe(words.join(''));
  expect(all.server.requests).toHaveLength(1);
  expect(all.server.background).toMatchObject([{ readsAfter: [null], isCancelled: false }]);
  expect((await all.stores.runs.load(run.id, null))?.usage.totalTokens).toBeGreaterThan(0);
});

it('reads on after its owner was lost', async () => {
  await using all = await provider([{ text: words, stallAfter: 2 }]);
  const { runs } = all.stores;
  // Its lease runs out, as that of a process that died.
  const stores = { ...all.stores, runs: { ...runs, renew: () => new Promise<never>(() => {}) } };
  const { run, owner } = await begun(all, { stores });
  await using next = all.assistant();
  const reading = eventsOf(next.attach(run.id));
  const events = await ended(all, run.id);
  expect(typesOf(events)).toContain('turn_reset');
  expect(textRead(await reading)).toBe(words.join(''));
  expect(all.server.requests).toHaveLength(1);
  const closing = owner.close({ drainMs: 0 });
  await all.clock.advance(10_000);
  await closing;
});

it('asks again where the provider does not have the answer any more', async () => {
  await using all = await provider([{ text: words, stallAfter: 2 }, { text: 'five' }]);
  const { owner, run } = await begun(all);
  all.server.forgetBackground();
  await using next = all.assistant();
  const reading = eventsOf(next.attach(run.id));
  const closing = owner.close({ drainMs: 0 });
  const events = await ended(all, run.id);
  await closing;
  expect(textRead(await reading)).toBe('five');
  expect(typesOf(events)).not.toContain('error');
  expect(all.server.requests).toHaveLength(2);
});

it('reads an answer again whose connection was cut, and asks nothing again', async () => {
  await using all = await provider([{ text: words, cutAfter: 2 }]);
  await using owner = all.assistant();
  const run = owner.run('Count');
  const watched = eventsOf(run);
  await ended(all, run.id);
  expect(textRead(await watched)).toBe(words.join(''));
  expect(all.server.requests).toHaveLength(1);
});

it('ends the answer in the background when the run is cancelled, by whoever ends the run', async () => {
  for (const isLeft of [false, true]) {
    await using all = await provider([{ text: words, stallAfter: 2 }]);
    const { owner, run } = await begun(all);
    if (isLeft) {
      const closing = owner.close({ drainMs: 0 });
      await all.clock.advance(100);
      await closing;
    }
    const other = isLeft ? all.assistant() : owner;
    if (!isLeft) await other.cancel(run.id);
    else await all.stores.runs.requestCancel(run.id, { tenantId: 'default', userId: 'local' });
    await ended(all, run.id);
    await until(() => all.server.background[0]?.isCancelled === true);
    expect(all.server.requests).toHaveLength(1);
    await other.close({ drainMs: 0 });
  }
});

it('gives what is steered meanwhile to the turn after the one that goes on', async () => {
  await using all = await provider([
    { text: words, toolCalls: [{ name: 'read', args: { n: 1 } }], stallAfter: 2 },
    { text: 'Done.' },
  ]);
  const tools = effectTools(new Effects());
  const { owner, run } = await begun(all);
  await owner.steer(run.id, 'Be short.');
  const closing = owner.close({ drainMs: 0 });
  await using next = all.assistant({ tools });
  const events = await ended(all, run.id);
  await closing;
  expect(next).toBeDefined();
  expect(events.filter(({ type }) => type === 'steered')).toMatchObject([{ turn: 2 }]);
  expect(all.server.requests).toHaveLength(2);
  expect(JSON.stringify(all.server.requests[1]?.body)).toContain('Be short.');
});

it('asks for the background only where it was told to, and only of an API that has it', async () => {
  await using all = await provider([{ text: 'Hello' }, { text: 'Hello' }]);
  await using one = all.assistant();
  await one.run('Hello').text();
  const { baseURL } = all.server;
  await using two = all.assistant({ model: openaiModel({ model: 'm', apiKey: 'k', baseURL }) });
  await two.run('Hello').text();
  expect(all.server.requests.map(({ body }) => body['background'])).toEqual([true, undefined]);
  for (const wrong of [{ api: 'chat' }, { request: { store: false } }] as const) {
    expect(() => openaiModel({ model: 'm', apiKey: 'k', background: true, ...wrong })).toThrow(
      /background needs the Responses API/,
    );
  }
});
