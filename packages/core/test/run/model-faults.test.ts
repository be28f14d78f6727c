import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { StewardError } from '../../src/errors/steward-error.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import { openaiModel } from '../../src/model/openai-model.ts';
import type { AssistantOptions } from '../../src/options.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts';
import type { OpenAiReply } from '../../src/testing/openai-reply.ts';
import { startOpenAiServer } from '../../src/testing/openai-server.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import {
  auditOf,
  codeOf,
  Effects,
  effectTools,
  eventsOf,
  expectSound,
  local,
  planned,
  quickAssistant,
  settle,
  storesOn,
  textRead,
  typesOf,
  until,
} from './workshop.ts';

// The limits of a turn are never reached in real time; what tests them has a clock of its own.
const quickLimits = {
  connectTimeoutMs: 60_000,
  firstTokenTimeoutMs: 60_000,
  betweenTokensTimeoutMs: 60_000,
  maxRetryWaitMs: 5,
};

/** An assistant whose model is a real client of a server that goes wrong as told. */
async function overHttp(
  reply: readonly OpenAiReply[] | (() => OpenAiReply),
  options: Partial<AssistantOptions> = {},
) {
  const server = await startOpenAiServer({ reply });
  const stores = options.stores ?? inProcessStores();
  const assistant = quickAssistant({
    model: openaiModel({ model: 'm', apiKey: 'k', baseURL: server.baseURL }),
    tools: effectTools(new Effects()),
    ...options,
    stores,
    limits: { ...quickLimits, ...options.limits },
  });
  const close = async () => {
    await assistant.close();
    await server.close();
  };
  return { server, stores, assistant, [Symbol.asyncDispose]: close };
}

/** The same on a fake clock. */
async function overHttpIn(clock: FakeClock, ...[reply, options]: Parameters<typeof overHttp>) {
  return overHttp(reply, { ...options, stores: storesOn(clock), clock });
}

/** Reads until so much was said. */
async function untilSaid(run: AsyncIterable<RunEvent>, words: string): Promise<void> {
  let said = '';
  for await (const event of run) {
    if (event.type === 'token') said += event.text;
    if (said.startsWith(words)) return;
  }
}

const unhandled = vi.fn<(reason: unknown) => void>();
beforeAll(() => void process.on('unhandledRejection', unhandled));
afterAll(() => void process.off('unhandledRejection', unhandled));

it('F22: tries a refused connection again, and says so', async () => {
  await using all = await overHttp([{ text: 'Back again.' }]);
  await all.server.refuseConnections();
  const run = all.assistant.run('Go');
  run.on('warning', () => void all.server.acceptConnections());
  expect((await run.result()).text).toBe('Back again.');
  expect(typesOf(await eventsOf(run))).toContain('warning');
});

it('F22: gives up with a clear reason when nobody listens', async () => {
  await using all = await overHttp([]);
  await all.server.refuseConnections();
  const run = all.assistant.run('Go');
  expect(await codeOf(run.result())).toBe('model_unreachable');
  const events = await expectSound(all.stores, run.id);
  expect(events.at(-1)).toMatchObject({ type: 'error', retryable: true, partialText: '' });
});

it('F23: waits as long as the provider asked for, and not when that is too long', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const model = scriptedModel([
    { error: { status: 429, retryAfterMs: 7_000, message: 'Slow down.' } },
    { text: 'Done.' },
    { error: { status: 429, retryAfterMs: 70_000 } },
    { error: { status: 429, code: 'insufficient_quota' } },
  ]);
  await using assistant = quickAssistant({ stores, clock, model });
  const run = assistant.run('Go');
  await clock.advance(6_999);
  expect(model.requests).toHaveLength(1);
  await clock.advance(1);
  expect(model.requests).toHaveLength(2);
  expect(await settle(clock, run)).toBe('completed');
  expect(await settle(clock, assistant.run('Go'))).toBe('model_rate_limited');
  expect(await settle(clock, assistant.run('Go'))).toBe('model_rate_limited');
  expect(model.requests).toHaveLength(4);
});

it('F23: reads Retry-After from the wire', async () => {
  await using all = await overHttp([{ status: 429, retryAfter: 1 }, { text: 'Done.' }], {
    limits: { maxRetryWaitMs: 2_000 },
  });
  const began = performance.now();
  expect((await all.assistant.run('Go').result()).text).toBe('Done.');
  expect(performance.now() - began).toBeGreaterThanOrEqual(990);
});

it.each<[string, OpenAiReply, string[]]>([
  ['an error comes in mid-stream', { errorAfter: 2 }, ['turn_reset']],
  ['the connection is cut', { cutAfter: 2 }, ['turn_reset']],
  ['the stream ends too early', { endAfter: 2 }, ['turn_reset']],
  ['the connection is cut inside an event', { cutAfterBytes: 700 }, []],
])('F24: never joins the texts of two tries when %s', async (_what, fault, told) => {
  await using all = await overHttp([
    { text: 'one two three', ...fault },
    { text: 'four five six' },
  ]);
  const run = all.assistant.run('Go');
  const events = await eventsOf(run);
  expect(textRead(events)).toBe('four five six');
  expect((await run.result()).text).toBe('four five six');
  expect(typesOf(events)).toEqual(expect.arrayContaining(told));
  await expectSound(all.stores, run.id);
});

it('F24: takes back what readers saw of the thinking of a try that failed', async () => {
  let tries = 0;
  const finish = { responseId: null, model: null, usage: null, verbatim: null } as const;
  await using assistant = quickAssistant({
    stores: inProcessStores(),
    limits: quickLimits,
    model: {
      async *stream() {
        yield { type: 'start', requestId: null };
        yield { type: 'reasoning', text: 'Let me think.' };
        tries += 1;
        if (tries === 1) throw new StewardError('model_failed', 'cut');
        yield { type: 'text', text: 'Four.' };
        yield { type: 'finish', reason: 'stop', ...finish };
      },
    },
  });
  expect(typesOf(await eventsOf(assistant.run('Go')))).toEqual([
    'run_started',
    'reasoning',
    'warning',
    'turn_reset',
    'reasoning',
    'token',
    'complete',
  ]);
});

it('bills each try that the provider took', async () => {
  const limit = { windowMs: 86_400_000, tokens: 1_000_000 };
  await using all = await overHttp(
    [{ text: 'one two three', errorAfter: 2 }, { text: 'four five six' }],
    { budgets: { userTokens: [limit] } },
  );
  const { usage } = await all.assistant.run('x'.repeat(4_000)).result();
  const { used, reserved } = await all.stores.usage.read(local, limit.windowMs);
  expect(reserved).toBe(0);
  expect(used - usage.totalTokens).toBeGreaterThan(1_000);
});

it('F24: keeps what was said when no try succeeds', async () => {
  await using all = await overHttp(() => ({ text: 'one two three', errorAfter: 2 }));
  const run = all.assistant.run('Go');
  expect(await codeOf(run.result())).toBe('model_failed');
  const events = await expectSound(all.stores, run.id);
  expect(events.at(-1)).toMatchObject({ type: 'error', partialText: 'one two' });
  expect(all.server.requests).toHaveLength(4);
});

it('F25: keeps the words that came before a provider fell silent, and hangs up', async () => {
  const clock = fakeClock();
  await using all = await overHttpIn(clock, [{ text: 'one two three', stallAfter: 2 }], {
    budgets: { userTokens: [{ windowMs: 3_600_000, tokens: 100_000 }] },
  });
  const run = all.assistant.run('Go');
  await untilSaid(run, 'one two');
  expect(await settle(clock, run)).toBe('completed');
  expect(await run.result()).toMatchObject({ finishReason: 'stalled', text: 'one two' });
  expect((await all.stores.runs.load(run.id, null))?.status).toBe('partial');
  expect(await all.server.requests[0]?.closed).toBe('left');
  // What was aborted is billed: the prompt and what was said, not what was reserved.
  const { used, reserved } = await all.stores.usage.read(local, 3_600_000);
  expect(reserved).toBe(0);
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThan(200);
});

it('F25: tries again when a provider accepts and then says nothing, and gives up in the end', async () => {
  for (const reply of [{ stallAfter: 0 }, { latency: { headers: 600_000 } }]) {
    const clock = fakeClock();
    await using all = await overHttpIn(clock, () => ({ text: 'one', ...reply }), {
      limits: { modelRetries: 1 },
    });
    const run = all.assistant.run('Go');
    await until(async () => {
      await clock.advance(500);
      return all.server.requests.length === 2;
    });
    expect(await settle(clock, run)).toBe('model_timeout');
    expect(all.server.requests).toHaveLength(2);
  }
});

it('F26: reads exactly what was said, however it was sliced', async () => {
  const text = 'Grüße 👋🏽 aus „Köln“ — ok\r\nline\u2028two 日本語\t"quoted" \\ end';
  const shapes: OpenAiReply[] = [
    { slice: 1 },
    { slice: 2, newline: 'crlf' },
    { slice: { max: 5, seed: 7 }, newline: 'mixed', comments: true },
    { hugeLine: 1_000_000, slice: 4_096 },
  ];
  await using all = await overHttp(shapes.map((shape) => ({ text, ...shape })));
  for (const shape of shapes) {
    const run = all.assistant.run('Go');
    expect((await run.result()).text, `shape ${shapes.indexOf(shape)}`).toBe(text);
    expect(textRead(await eventsOf(run))).toBe(text);
  }
});

it('F27: answers calls that cannot work, and goes on', async () => {
  const odd = [
    { name: 'read', argumentsText: '{"n": ' },
    { name: 'read', argumentsText: '[1]' },
    { name: 'read', argumentsText: '"x"' },
    { name: 'read', argumentsText: 'null' },
    { name: 'read', argumentsText: '' },
    { name: 'read', args: { n: 'seven' } },
    { name: 'write', argumentsText: '{"n": NaN}' },
    { name: 'nothing', args: {} },
    { name: '__proto__', args: {} },
    { name: 'constructor', args: {} },
    { name: 'read', argumentsText: `${'['.repeat(100_000)}${']'.repeat(100_000)}` },
    { name: 'read', argumentsText: `${'{"__proto__":'.repeat(500)}1${'}'.repeat(500)}` },
    { name: 'read', argumentsText: '{"n":1,"__proto__":{"polluted":true},"a\\u0000":"\\ud800"}' },
  ].map((call) => ({ ...call, id: 'the-same-id' }));
  await using all = await overHttp([{ text: '', toolCalls: odd }, { text: 'Sorry.' }]);
  const run = all.assistant.run('Go');
  const { text, toolCalls } = await run.result();
  expect(text).toBe('Sorry.');
  expect(toolCalls).toHaveLength(odd.length);
  expect(toolCalls.filter(({ outcome }) => outcome === 'succeeded').length).toBeLessThanOrEqual(3);
  expect(toolCalls[4]?.outcome).toBe('succeeded');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  const started = (await auditOf(all.stores, run.id)).filter((action) => action === 'call.started');
  expect(started).toHaveLength(toolCalls.filter(({ outcome }) => outcome === 'succeeded').length);
  const events = await expectSound(all.stores, run.id);
  expect(typesOf(events).filter((type) => type === 'tool_result')).toHaveLength(odd.length);
});

it('F27: runs 64 of 200 calls at once, answers the others, and asks nobody about them', async () => {
  for (const name of ['read', 'write']) {
    const effects = new Effects();
    const stores = inProcessStores();
    let [working, most] = [0, 0];
    await using assistant = quickAssistant({
      stores,
      model: scriptedModel(planned([Array(200).fill(name)])),
      tools: effectTools(effects, async () => {
        working += 1;
        most = Math.max(most, working);
        await new Promise(setImmediate);
        working -= 1;
      }),
    });
    const run = assistant.run('Go');
    const { confirmations } = await run.result();
    expect(confirmations).toHaveLength(name === 'read' ? 0 : 64);
    for (const { callId } of confirmations) await run.confirm(callId, { approve: true });
    const { toolCalls } = await run.result();
    expect(toolCalls).toHaveLength(200);
    expect(toolCalls.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(64);
    expect(effects.starts).toHaveLength(64);
    expect(most).toBe(8);
    await expectSound(stores, run.id);
  }
});

it('F28: ends a loop of calls at the most turns', async () => {
  await using all = await overHttp(
    () => ({ text: 'again', toolCalls: [{ name: 'read', args: {} }] }),
    {
      limits: { maxTurns: 5 },
    },
  );
  const run = all.assistant.run('Go');
  expect(await run.result()).toMatchObject({ finishReason: 'max_turns', text: 'again' });
  expect(all.server.requests).toHaveLength(5);
  expect((await all.assistant.run('Go', { maxTurns: 2 }).result()).finishReason).toBe('max_turns');
  expect(all.server.requests).toHaveLength(7);
});

it('F28: cuts an answer that never ends, of words or of calls', async () => {
  await using all = await overHttp(() => ({ text: 'and so on ', endless: true }), {
    limits: { maxAnswerCharacters: 5_000 },
  });
  const { finishReason, text } = await all.assistant.run('Go').result();
  expect(finishReason).toBe('length');
  expect(text.length).toBeLessThan(5_100);
  expect(await all.server.requests[0]?.closed).toBe('left');
  const effects = new Effects();
  const call = {
    type: 'tool_call',
    id: 'i',
    name: 'read',
    argumentsText: '{}',
    custom: false,
  } as const;
  await using assistant = quickAssistant({
    stores: inProcessStores(),
    tools: effectTools(effects),
    limits: { maxAnswerCharacters: 5_000 },
    model: {
      async *stream() {
        yield { type: 'start', requestId: null };
        for (;;) yield call;
      },
    },
  });
  expect((await assistant.run('Go').result()).finishReason).toBe('length');
  expect(effects.starts).toEqual([]);
});

it('F28: ends an answer that never ends at the deadline', async () => {
  const clock = fakeClock();
  await using all = await overHttpIn(clock, () => ({
    text: 'and so on ',
    endless: true,
    latency: { piece: 5 },
  }));
  const run = all.assistant.run('Go', { timeoutMs: 30_000 });
  await untilSaid(run, 'and so on');
  await clock.advance(30_000);
  const { finishReason, text } = await run.result();
  expect(finishReason).toBe('deadline');
  expect(text).toMatch(/^and so on/);
});

it('ends a run at its token budget', async () => {
  const model = scriptedModel(() => ({
    text: 'x',
    toolCalls: [{ name: 'read' }],
    usage: { inputTokens: 90, outputTokens: 10 },
  }));
  await using assistant = quickAssistant({
    stores: inProcessStores(),
    model,
    tools: effectTools(new Effects()),
    budgets: { runTokens: 250 },
  });
  expect(await assistant.run('Go').result()).toMatchObject({
    finishReason: 'budget',
    usage: { totalTokens: 300 },
  });
  expect((await assistant.run('Go', { tokenBudget: 100 }).result()).usage.totalTokens).toBe(100);
});

it('holds a user to the token exactly, over parallel runs of two assistants', async () => {
  const stores = inProcessStores();
  const limit = { windowMs: 3_600_000, tokens: 10_000 };
  let open = 0;
  let most = 0;
  const model = () =>
    scriptedModel(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise(setImmediate);
      open -= 1;
      return { text: 'x', usage: { inputTokens: 400, outputTokens: 100 } };
    });
  const settings = { stores, budgets: { userTokens: [limit], reserveTokens: 499 } };
  await using one = quickAssistant({ ...settings, model: model() });
  await using two = quickAssistant({ ...settings, model: model() });
  const runs = Array.from({ length: 60 }, (_, n) => (n % 2 ? one : two).run('G'));
  const results = await Promise.all(runs.map((run) => run.result()));
  const done = results.filter(({ finishReason }) => finishReason === 'stop').length;
  const { used, reserved } = await stores.usage.read(local, limit.windowMs);
  expect({ used, reserved }).toEqual({ used: done * 500, reserved: 0 });
  expect(used).toBeLessThanOrEqual(limit.tokens);
  expect(results.filter(({ finishReason }) => finishReason === 'budget')).toHaveLength(60 - done);
  expect(most).toBeLessThanOrEqual(20);
  expect((await one.run('G', { userId: 'ann' }).result()).finishReason).toBe('stop');
});

it('bills a provider that does not count by an estimate', async () => {
  const stores = inProcessStores();
  const limit = { windowMs: 3_600_000, tokens: 100_000 };
  await using assistant = quickAssistant({
    stores,
    model: scriptedModel(() => ({ text: 'word '.repeat(100), usage: null })),
    budgets: { userTokens: [limit] },
  });
  await assistant.run('x'.repeat(4_000)).result();
  const { used, reserved } = await stores.usage.read(local, limit.windowMs);
  expect(reserved).toBe(0);
  expect(used).toBeGreaterThan(1_000);
  expect(used).toBeLessThan(1_300);
});

it('takes back what a provider takes back', async () => {
  await using assistant = quickAssistant({
    stores: inProcessStores(),
    model: {
      async *stream() {
        yield { type: 'start', requestId: null };
        yield { type: 'text', text: 'half an ans' };
        yield { type: 'reset' };
        yield { type: 'text', text: 'The whole answer.' };
        yield {
          type: 'finish',
          reason: 'stop',
          responseId: null,
          model: null,
          usage: null,
          verbatim: null,
        };
      },
    },
  });
  const run = assistant.run('Go');
  expect(textRead(await eventsOf(run))).toBe('The whole answer.');
  expect((await run.result()).text).toBe('The whole answer.');
});

it('survives model clients that throw, end early, yield after the end, or never heed the signal', async () => {
  const clients: Record<string, () => AsyncIterable<never>> = {
    throwsAtOnce: () => {
      throw new TypeError('broken');
    },
    throwsNothing: async function* () {
      yield await Promise.reject(undefined);
    },
    endsEarly: async function* () {},
    isNoIterable: () => 7 as never,
  };
  for (const [name, stream] of Object.entries(clients)) {
    const stores = inProcessStores();
    await using assistant = quickAssistant({
      stores,
      model: { stream },
      limits: { maxRetryWaitMs: 1, modelRetries: 1 },
    });
    const run = assistant.run('Go');
    expect(await codeOf(run.result()), `${name}`).toBe('model_failed');
    await expectSound(stores, run.id);
  }
  const stores = inProcessStores();
  await using deaf = quickAssistant({
    stores,
    model: {
      stream: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
      }),
    },
  });
  const run = deaf.run('Go');
  await run.cancel();
  expect((await run.result()).status).toBe('cancelled');
});

it('left no rejection unhandled in all of the above', async () => {
  await new Promise(setImmediate);
  expect(unhandled).not.toHaveBeenCalled();
});
