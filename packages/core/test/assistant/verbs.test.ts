import { expect, it } from 'vitest';
import { z } from 'zod';
import { openaiModel } from '../../src/model/openai-model.ts';
import { defaultLease } from '../../src/options.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { startOpenAiServer } from '../../src/testing/openai-server.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { ToolContext } from '../../src/tools/tool.ts';
import {
  bystander,
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
} from '../run/workshop.ts';

/** A tool that works until it is told to end. */
function slowTool(effect: 'read' | 'write', onStart: (context: ToolContext) => unknown) {
  return tool({
    name: 'slow',
    description: '',
    parameters: z.object({}).loose(),
    effect,
    confirm: 'never',
    execute: (_args, context) => onStart(context),
  });
}

it('cancels from another assistant: the tool hears of it within a beat', async () => {
  const stores = inProcessStores();
  let reason: unknown;
  await using owner = quickAssistant({
    stores,
    lease: { ...defaultLease, beatMs: 5 },
    model: scriptedModel(planned([['slow']])),
    tools: [
      slowTool('read', ({ signal }) => {
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        });
      }),
    ],
  });
  const run = owner.run('Go');
  await until(async () => typesOf(await stored(run.id)).includes('tool_started'));
  const other = bystander({ stores });
  await other.cancel(run.id);
  expect((await run.result()).status).toBe('cancelled');
  expect(reason).toMatchObject({ code: 'aborted' });
  const events = await expectSound(stores, run.id);
  expect(typesOf(events).slice(-2)).toEqual(['tool_result', 'cancelled']);

  async function stored(runId: string) {
    return (await stores.runs.events(runId, 0, 100)).map(({ event }) => event);
  }
});

it('closes the connection to the provider when a run is cancelled in mid-answer', async () => {
  await using server = await startOpenAiServer({
    reply: [{ text: 'one two three', stallAfter: 2 }],
  });
  await using assistant = quickAssistant({
    stores: inProcessStores(),
    model: openaiModel({ model: 'm', apiKey: 'k', baseURL: server.baseURL }),
  });
  const run = assistant.run('Go');
  let text = '';
  for await (const event of run) {
    if (event.type !== 'token') continue;
    text += event.text;
    if (text === 'one two') await run.cancel();
  }
  expect(await run.result()).toMatchObject({ status: 'cancelled', text: 'one two' });
  expect(await server.requests[0]?.closed).toBe('left');
});

it('cancels a run that waits for a person, and one that is queued, at once', async () => {
  const stores = inProcessStores();
  const effects = new Effects();
  await using assistant = quickAssistant({
    stores,
    model: scriptedModel(planned([['write']])),
    tools: effectTools(effects),
  });
  const waiting = assistant.run('Go', { conversationId: 'c' });
  expect((await waiting.result()).status).toBe('waiting');
  const queued = assistant.run('Then', { conversationId: 'c', onBusy: 'queue' });
  const behind = assistant.run('Then', { conversationId: 'c', onBusy: 'queue' });
  await queued.cancel();
  expect((await queued.result()).status).toBe('cancelled');
  expect((await waiting.result()).status).toBe('waiting');
  await waiting.cancel();
  expect((await waiting.result()).status).toBe('cancelled');
  expect((await behind.result()).status).toBe('waiting');
  await behind.cancel();
  expect((await behind.result()).status).toBe('cancelled');
  for (const run of [waiting, queued, behind]) await expectSound(stores, run.id);
  expect(effects.starts).toEqual([]);
});

it('records a write that comes to its end within the grace after a cancel, and calls it unknown after that', async () => {
  for (const [takes, outcome] of [
    [4_000, 'succeeded'],
    [6_000, 'unknown'],
  ] as const) {
    const clock = fakeClock();
    const stores = storesOn(clock);
    await using assistant = quickAssistant({
      stores,
      clock,
      model: scriptedModel(planned([['slow']])),
      tools: [
        slowTool(
          'write',
          () => new Promise((resolve) => clock.schedule(() => resolve('sent'), takes)),
        ),
      ],
    });
    const run = assistant.run('Go');
    await clock.advance(100);
    await run.cancel();
    await run.cancel();
    expect(await settle(clock, run)).toBe('cancelled');
    expect((await run.result()).toolCalls).toMatchObject([{ outcome }]);
    await expectSound(stores, run.id);
    await run.cancel();
    expect((await run.result()).status).toBe('cancelled');
    await clock.advance(10_000);
  }
});

it('cancels from the moment the handle is there, and refuses strangers', async () => {
  await using assistant = quickAssistant({ stores: inProcessStores() });
  const run = assistant.run('Go', { userId: 'ann' });
  expect(await codeOf(assistant.cancel(run.id, { userId: 'eve' }))).toBe('not_found');
  expect(await codeOf(assistant.steer(run.id, 'x', { userId: 'eve' }))).toBe('not_found');
  expect(await codeOf(assistant.cancel('run_unknown'))).toBe('not_found');
  const early = assistant.run('Go');
  await early.cancel();
  expect((await early.result()).status).toBe('cancelled');
});

it('ends short at its deadline, also when a function of the host hangs', async () => {
  for (const hang of ['prepareTurn', 'tool', 'confirm', 'model'] as const) {
    const clock = fakeClock();
    const stores = storesOn(clock);
    const never = () => new Promise<never>(() => {});
    await using assistant = quickAssistant({
      stores,
      clock,
      ...(hang === 'prepareTurn' && { prepareTurn: never }),
      model: scriptedModel([
        {
          text: 'one two',
          toolCalls: [{ name: 'slow' }],
          ...(hang === 'model' && { stallAfter: 1 }),
        },
      ]),
      limits: { betweenTokensTimeoutMs: 1e8, toolTimeoutMs: 1e8 },
      tools: [
        tool({
          name: 'slow',
          description: '',
          parameters: z.object({}),
          effect: 'read',
          confirm: hang === 'confirm' ? never : 'never',
          execute: never,
        }),
      ],
    });
    const run = assistant.run('Go', { timeoutMs: 30_000 });
    expect(await settle(clock, run), `${hang}`).toBe('completed');
    expect(await run.result(), `${hang}`).toMatchObject({
      finishReason: 'deadline',
      text: { prepareTurn: '', tool: 'one two', confirm: 'one two', model: 'one' }[hang],
    });
    await expectSound(stores, run.id);
  }
});

it('takes a time limit that no timer can keep', async () => {
  await using assistant = quickAssistant({ stores: inProcessStores() });
  const run = assistant.run('Go', { timeoutMs: Number.MAX_SAFE_INTEGER });
  expect(await run.result()).toMatchObject({ finishReason: 'stop' });
});

it('lets runs come to their end when it is closed, also those that have just been asked for', async () => {
  const stores = inProcessStores();
  const assistant = quickAssistant({ stores });
  const runs = Array.from({ length: 5 }, () => assistant.run('Go'));
  await assistant.close();
  for (const run of runs) {
    expect((await expectSound(stores, run.id)).at(-1)).toMatchObject({ type: 'complete' });
  }
  expect(await codeOf(assistant.run('Go').result())).toBe('closed');
  expect(await codeOf(assistant.cancel(runs[0]?.id ?? ''))).toBe('closed');
  expect(typesOf(await eventsOf(assistant.run('Go')))).toEqual(['error']);
  await assistant.close();
});

it('gives back what does not end while it drains, and another assistant carries it on', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const effects = new Effects();
  const first = quickAssistant({
    stores,
    clock,
    model: scriptedModel(planned([['read']])),
    tools: effectTools(effects, () => new Promise(() => {})),
  });
  const run = first.run('Go');
  const watched = eventsOf(run);
  await clock.advance(100);
  const closing = first.close({ drainMs: 1_000 });
  await clock.advance(1_000);
  await closing;
  expect((await watched).at(-1)).toMatchObject({ type: 'error', code: 'closed' });
  await using second = quickAssistant({
    stores,
    clock,
    model: scriptedModel(planned([['read']])),
    tools: effectTools(effects),
  });
  expect(await settle(clock, second.attach(run.id))).toBe('completed');
  expect(effects.starts).toHaveLength(2);
  await expectSound(stores, run.id);
});

it('gives way to a superseding question at once, without waiting for a beat', async () => {
  const clock = fakeClock();
  await using assistant = quickAssistant({
    stores: storesOn(clock),
    clock,
    model: scriptedModel(({ messages }) =>
      messages.some(({ content }) => content === 'Rather this')
        ? { text: 'This.' }
        : { toolCalls: [{ name: 'slow', args: {} }] },
    ),
    tools: [
      slowTool('read', ({ signal }) => {
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      }),
    ],
  });
  const first = assistant.run('That', { conversationId: 'c' });
  const started = new Promise<void>((resolve) => {
    first.on('tool_started', () => resolve());
  });
  await started;
  const second = assistant.run('Rather this', { conversationId: 'c', onBusy: 'supersede' });
  expect(await second.text()).toBe('This.');
  expect((await first.result()).status).toBe('cancelled');
});

it('queues a conversation in order, refuses when busy, and says when the queue is full', async () => {
  const stores = inProcessStores();
  const model = scriptedModel(({ messages }) => ({
    text: `Answer to ${JSON.stringify(messages.at(-1)?.content)}`,
  }));
  await using assistant = quickAssistant({ stores, model, limits: { queueLimit: 3 } });
  const options = { conversationId: 'c', onBusy: 'queue' } as const;
  const runs = ['one', 'two', 'three', 'four'].map((text) => assistant.run(text, options));
  const [five, six] = [
    assistant.run('five', options),
    assistant.run('six', { conversationId: 'c' }),
  ];
  const refused = await Promise.all([codeOf(five.result()), codeOf(six.result())]);
  expect(refused).toEqual(['queue_full', 'conversation_busy']);
  const results = await Promise.all(runs.map((run) => run.result()));
  expect(results.map(({ text }) => text)).toEqual([
    'Answer to "one"',
    'Answer to "two"',
    'Answer to "three"',
    'Answer to "four"',
  ]);
  // The model hears each answer behind its question, and nothing that was asked later.
  expect(model.requests.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
    ['one'],
    ['one', 'Answer to "one"', 'two'],
    ['one', 'Answer to "one"', 'two', 'Answer to "two"', 'three'],
    ['one', 'Answer to "one"', 'two', 'Answer to "two"', 'three', 'Answer to "three"', 'four'],
  ]);
});

it('lets one of 50 runs at once have a conversation, and other users have theirs of the same name', async () => {
  const stores = inProcessStores();
  await using one = quickAssistant({ stores });
  await using two = quickAssistant({ stores });
  const runs = Array.from({ length: 50 }, (_, n) =>
    (n % 2 ? one : two).run('Go', { conversationId: 'c' }),
  );
  const other = one.run('Go', { conversationId: 'c', userId: 'ann' });
  const codes = await Promise.all(runs.map((run) => codeOf(run.result())));
  expect(codes.filter((code) => code === undefined)).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set([undefined, 'conversation_busy']));
  expect((await other.result()).status).toBe('completed');
});

it('finds the same run for the same request, from anywhere, and refuses another body', async () => {
  const stores = inProcessStores();
  const model = scriptedModel(planned([]));
  await using one = quickAssistant({ stores, model });
  await using two = quickAssistant({ stores, model });
  const runs = Array.from({ length: 20 }, (_, n) =>
    (n % 2 ? one : two).run('Go', { requestId: 'r' }),
  );
  expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
  for (const run of runs) expect((await run.result()).text).toBe('All is done.');
  expect(model.requests).toHaveLength(1);
  for (const assistant of [one, two]) {
    const again = assistant.run('Go', { requestId: 'r' });
    expect(await eventsOf(again)).toEqual(await eventsOf(one.attach(runs[0]?.id ?? '')));
    expect(await codeOf(assistant.run('Stop', { requestId: 'r' }).result())).toBe(
      'request_conflict',
    );
    const options = { requestId: 'r', instructions: 'other' };
    expect(await codeOf(assistant.run('Go', options).result())).toBe('request_conflict');
  }
  const other = two.run('Stop', { requestId: 'r', userId: 'ann' });
  expect(other.id).not.toBe(runs[0]?.id);
  expect((await other.result()).status).toBe('completed');
});

it('gives what was steered to the model before its next turn, once, from anywhere', async () => {
  const stores = inProcessStores();
  const model = scriptedModel(planned([['slow'], ['slow']], 'Done.'));
  const other = bystander({ stores });
  let started = 0;
  await using owner = quickAssistant({
    stores,
    model,
    lease: { ...defaultLease, beatMs: 5 },
    tools: [
      slowTool('read', async ({ runId, signal }) => {
        started += 1;
        if (started > 1) return;
        await Promise.all(['shorter', 'in French'].map((text) => other.steer(runId, text)));
        await until(() => signal.aborted || owner.servers() === undefined || heard());
      }),
    ],
  });
  let beats = 0;
  const heard = () => ++beats > 2_000;
  const run = owner.run('Go');
  const events = await eventsOf(run);
  const steered = events.filter((event) => event.type === 'steered');
  expect(steered.map(({ text }) => text).toSorted()).toEqual(['in French', 'shorter']);
  const last = model.requests.at(-1)?.messages.filter(({ role }) => role === 'user');
  expect(last).toHaveLength(3);
  expect(await codeOf(run.steer('too late'))).toBe('not_waiting');
  await expectSound(stores, run.id);
});

it('answers what was steered in the moment in which the run would end', async () => {
  const stores = inProcessStores();
  const model = scriptedModel(planned([], 'Done.'));
  const other = bystander({ stores });
  let ends = 0;
  await using owner = quickAssistant({
    stores,
    model,
    crashPoint: async (name) => {
      if (name !== 'before_finish') return;
      ends += 1;
      if (ends === 1) await other.steer(run.id, 'and in French');
    },
  });
  const run = owner.run('Go');
  const events = await eventsOf(run);
  expect(events.flatMap((event) => (event.type === 'steered' ? [event.text] : []))).toEqual([
    'and in French',
  ]);
  expect(ends).toBe(2);
  expect(model.requests.at(-1)?.messages.at(-1)).toEqual({
    role: 'user',
    content: 'and in French',
  });
  await expectSound(stores, run.id);
});

it('steers no call of the host, which asks no model', async () => {
  const stores = inProcessStores();
  await using assistant = quickAssistant({
    stores,
    tools: [slowTool('read', ({ signal }) => until(() => signal.aborted))],
  });
  const run = assistant.call('slow', {});
  expect(await codeOf(run.steer('and in French'))).toBe('not_waiting');
  await run.cancel();
});

it('hands the answer of a person to the tool that asked, once, and only to its owner', async () => {
  const stores = inProcessStores();
  const answers: unknown[] = [];
  await using owner = quickAssistant({
    stores,
    lease: { ...defaultLease, beatMs: 5 },
    model: scriptedModel(planned([['slow']], 'Done.')),
    tools: [
      slowTool('read', async ({ requestInput }) => {
        const [one, two] = await Promise.all([
          requestInput({ message: 'Which account?\0\ud800', schema: { type: 'object' } }),
          requestInput({ message: 'Sure?' }),
        ]);
        answers.push(one, two);
        return 'ok';
      }),
    ],
    limits: { toolTimeoutMs: 2_000 },
  });
  const run = owner.run('Go');
  let asked = await run.result();
  while (asked.inputs.length < 2) asked = await run.result();
  expect(asked).toMatchObject({
    status: 'waiting',
    inputs: [{ message: 'Which account?\ufffd' }, {}],
  });
  const [account, sure] = asked.inputs.map(({ requestId }) => requestId);
  const other = bystander({ stores });
  expect(await codeOf(other.answer(run.id, account ?? '', 1, { userId: 'eve' }))).toBe('not_found');
  expect(await codeOf(run.answer('input_unknown', 1))).toBe('not_found');
  const codes = await Promise.all(
    [1, 2, 3].map((n) => codeOf(other.answer(run.id, account ?? '', { n }))),
  );
  expect(codes.filter((code) => code === undefined)).toHaveLength(1);
  expect(codes.filter((code) => code === 'already_decided')).toHaveLength(2);
  await run.answer(sure ?? '', 'yes\0');
  expect((await run.result()).text).toBe('Done.');
  expect(answers).toEqual([{ n: 1 }, 'yes']);
  expect(await codeOf(run.answer(sure ?? '', 'no'))).toBe('already_decided');
  await expectSound(stores, run.id);
});

it('asks a person nothing twice when the owner of a call is lost', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const settings = {
    stores,
    clock,
    model: scriptedModel(planned([['slow']], 'Done.')),
    tools: [
      slowTool('read', async ({ requestInput }) => {
        const name = await requestInput({ message: 'Name?' });
        return [name, await requestInput({ message: 'Age?' })];
      }),
    ],
  };
  const first = quickAssistant(settings);
  const run = first.run('Go');
  expect(await settle(clock, run)).toBe('waiting');
  const [name] = (await run.result()).inputs;
  await run.answer(name?.requestId ?? '', 'Ann');
  await clock.advance(10);
  const closing = first.close({ drainMs: 0 });
  await clock.advance(0);
  await closing;
  await using second = quickAssistant(settings);
  const reading = second.attach(run.id);
  await clock.advance(10);
  const { inputs } = await reading.result();
  expect(inputs).toMatchObject([{ message: 'Age?' }]);
  await reading.answer(inputs[0]?.requestId ?? '', 7);
  expect(await settle(clock, reading)).toBe('completed');
  expect((await reading.result()).toolCalls).toMatchObject([{ content: '["Ann",7]' }]);
  const events = await expectSound(stores, run.id);
  expect(typesOf(events).filter((type) => type === 'input_requested')).toHaveLength(2);
});

it('makes a call of the host through the same gate', async () => {
  const stores = inProcessStores();
  const effects = new Effects();
  await using assistant = quickAssistant({ stores, tools: effectTools(effects) });
  expect((await assistant.call('read', { n: 1 }).result()).text).toBe('read 1 done');
  expect(await codeOf(assistant.call('read', { n: 'x' }).result())).toBe('invalid_argument');
  expect(await codeOf(assistant.call('nothing', {}).result())).toBe('tool_not_found');
  const write = assistant.call('write', { n: 2 }, { requestId: 'r' });
  const waiting = await write.result();
  expect(waiting.status).toBe('waiting');
  await write.confirm(waiting.confirmations[0]?.callId ?? '', { approve: true });
  expect((await write.result()).text).toBe('write 2 done');
  expect((await assistant.call('write', { n: 2 }, { requestId: 'r' }).result()).text).toBe(
    'write 2 done',
  );
  const declined = assistant.call('write', {});
  const [confirmation] = (await declined.result()).confirmations;
  await declined.confirm(confirmation?.callId ?? '', { approve: false });
  expect(await codeOf(declined.result())).toBe('call_declined');
  expect(effects.starts).toHaveLength(2);
  await expectSound(stores, write.id);
});

it('remembers what a person has read of an answer that was cut short', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  const model = scriptedModel([{ text: 'one two three', stallAfter: 2 }, { text: 'three' }]);
  await using assistant = quickAssistant({ stores, clock, model });
  const first = assistant.run('Count', { conversationId: 'c' });
  expect(await settle(clock, first)).toBe('completed');
  expect(await settle(clock, assistant.run('Go on', { conversationId: 'c' }))).toBe('completed');
  expect(model.requests[1]?.messages).toEqual([
    { role: 'user', content: 'Count' },
    { role: 'assistant', content: 'one two' },
    { role: 'user', content: 'Go on' },
  ]);
  expect(textRead(await eventsOf(first))).toBe('one two');
  expect(await stores.conversations.read(local, 'c', { limit: 10 })).toHaveLength(4);
});
