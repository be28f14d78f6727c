import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { StewardError } from '../../src/errors/steward-error.ts';
import type { Effect } from '../../src/events/run-event.ts';
import type { AssistantOptions } from '../../src/options.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { ToolContext } from '../../src/tools/tool.ts';
import {
  auditOf,
  codeOf,
  eventsOf,
  expectSound,
  local,
  planned,
  quickAssistant,
  settle,
  storesOn,
  typesOf,
} from './workshop.ts';

/** What becomes of a call whose tool does this. */
async function callOf(
  execute: (args: unknown, context: ToolContext) => unknown,
  options: Partial<AssistantOptions> & { readonly effect?: Effect } = {},
) {
  const { effect = 'read', ...rest } = options;
  const stores = options.stores ?? inProcessStores();
  const model = scriptedModel(planned([['it']], 'Told.'));
  await using assistant = quickAssistant({
    model,
    tools: [
      tool({
        name: 'it',
        description: '',
        parameters: z.object({}).loose(),
        effect,
        confirm: 'never',
        execute,
      }),
    ],
    ...rest,
    stores,
  });
  const run = assistant.run('Go');
  const result = await run.result();
  const events = await expectSound(stores, run.id);
  expect(result.text).toBe('Told.');
  const heard = model.requests.at(-1)?.messages.findLast(({ role }) => role === 'tool');
  const [call] = result.toolCalls;
  if (!call) throw new Error('There was no call.');
  expect(heard?.content).toBe(call.content);
  return { call, events, model, stores, run };
}

const unhandled = vi.fn<(reason: unknown) => void>();
beforeAll(() => void process.on('unhandledRejection', unhandled));
afterAll(() => void process.off('unhandledRejection', unhandled));

it.each<[string, () => unknown]>([
  [
    'an error',
    () => {
      throw new Error('no such file');
    },
  ],
  [
    'a text',
    () => {
      throw 'no such file';
    },
  ],
  ['a rejection with an object', async () => Promise.reject({ message: 'no such file' })],
  [
    'undefined',
    () => {
      throw undefined;
    },
  ],
  [
    'null',
    () => {
      throw null;
    },
  ],
  [
    'a symbol',
    () => {
      throw Symbol('no such file');
    },
  ],
  [
    'an object without a prototype',
    () => {
      throw Object.create(null);
    },
  ],
  [
    'an error whose message throws',
    () => {
      throw Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('again');
        },
      });
    },
  ],
  [
    'an error with a message of 5 MB, NUL and half a pair',
    () => {
      throw new Error(`\0\ud800${'x'.repeat(5e6)}`);
    },
  ],
])('tells the model when a tool throws %s', async (_what, execute) => {
  const { call } = await callOf(execute);
  expect(call.outcome).toBe('failed');
  expect(call.content?.length).toBeLessThan(5_000);
  expect(call.content?.isWellFormed()).toBe(true);
  expect(call.content).not.toContain('\0');
});

it('masks what a tool throws as well as what it says, and withholds what cannot be masked', async () => {
  const masking = (text: string) => text.replaceAll('secret', '[masked]');
  const thrown = await callOf(
    () => {
      throw new Error('the secret is out');
    },
    { masking },
  );
  expect(thrown.call.content).toContain('the [masked] is out');
  expect((await callOf(() => 'a secret', { masking })).call.content).toBe('a [masked]');
  for (const broken of [
    () => {
      throw new Error('broken');
    },
    () => undefined as unknown as string,
    async () => Promise.reject(new Error('broken')),
  ]) {
    for (const effect of ['read', 'write'] as const) {
      const { call, events } = await callOf(() => 'a secret', { masking: broken, effect });
      expect(call).toMatchObject({ outcome: 'failed' });
      expect(call.content).toContain('may have taken effect');
      expect(JSON.stringify(events)).not.toContain('secret');
    }
  }
});

it('leaves a tool behind that hangs, and calls the outcome of what changes something unknown', async () => {
  for (const [effect, outcome, code] of [
    ['read', 'failed', 'tool_timeout'],
    ['write', 'unknown', 'outcome_unknown'],
    ['write_idempotent', 'unknown', 'outcome_unknown'],
  ] as const) {
    let signal: AbortSignal | undefined;
    const { call, events } = await callOf(
      (_args, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      { limits: { toolTimeoutMs: 20 }, effect },
    );
    expect(call.outcome).toBe(outcome);
    expect(events.find((event) => event.type === 'tool_result')).toMatchObject({ code });
    expect(signal?.aborted).toBe(true);
  }
});

it('asks again for a lost answer under the same key, unless it is that of a write', async () => {
  for (const [effect, outcome, times] of [
    ['read', 'failed', 3],
    ['write_idempotent', 'unknown', 3],
    ['write', 'unknown', 1],
  ] as const) {
    const keys: string[] = [];
    const { call } = await callOf(
      (_args, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        throw new StewardError('outcome_unknown', 'The connection was lost.');
      },
      { effect },
    );
    expect(call.outcome).toBe(outcome);
    expect(keys).toEqual(Array.from({ length: times }, () => call.callId));
  }
});

it('does not care for what comes after a tool was left behind', async () => {
  for (const late of ['resolves', 'rejects'] as const) {
    let end = () => {};
    const { call, run, stores } = await callOf(
      () =>
        new Promise((resolve, reject) => {
          end = () => (late === 'resolves' ? resolve('late') : reject(new Error('late')));
        }),
      { limits: { toolTimeoutMs: 20 } },
    );
    const before = await stores.runs.load(run.id, null);
    end();
    await new Promise(setImmediate);
    expect(call.outcome).toBe('failed');
    expect(await stores.runs.load(run.id, null)).toEqual(before);
  }
});

it('hears a tool that rejects because it was told to end', async () => {
  const clock = fakeClock();
  const stores = storesOn(clock);
  await using assistant = quickAssistant({
    stores,
    clock,
    model: scriptedModel(planned([['it', 'it']])),
    tools: [
      tool({
        name: 'it',
        description: '',
        parameters: z.object({}).loose(),
        effect: 'read',
        execute: (_args, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }),
    ],
  });
  const run = assistant.run('Go');
  await clock.advance(10);
  await run.cancel();
  expect(await settle(clock, run)).toBe('cancelled');
  expect(clock.pending.length).toBeLessThanOrEqual(1);
  await expectSound(stores, run.id);
});

it('makes an answer of whatever a tool gives back', async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  for (const [value, outcome, content] of [
    [undefined, 'succeeded', /^Done\. The tool gave no result\.$/],
    [null, 'succeeded', /^null$/],
    [0, 'succeeded', /^0$/],
    ['', 'succeeded', /^$/],
    [{ a: [1] }, 'succeeded', /^\{"a":\[1\]\}$/],
    ['a\0b\ud800c', 'succeeded', /^ab\ufffdc$/],
    [cyclic, 'failed', /may have taken effect/],
    [1n, 'failed', /may have taken effect/],
    [() => 1, 'failed', /may have taken effect/],
    [
      {
        toJSON() {
          throw new Error('no');
        },
      },
      'failed',
      /may have taken effect/,
    ],
  ] as const) {
    const { call } = await callOf(() => value);
    expect(call.outcome).toBe(outcome);
    expect(call.content).toMatch(content);
  }
});

it('keeps 100 MB as an artifact that the model can read, and offers the reader', async () => {
  const chunk = new Uint8Array(1024 * 1024).fill(97);
  async function* body() {
    for (let n = 0; n < 40; n++) yield chunk;
  }
  const { call, events, model, stores } = await callOf(() => body());
  expect(call.outcome).toBe('succeeded');
  expect(call.content?.length).toBeLessThan(20_000);
  const result = events.find((event) => event.type === 'tool_result');
  expect(result).toMatchObject({ artifact: { bytes: 40 * 1024 * 1024 } });
  const [first, second] = model.requests.map(({ tools }) => tools.map(({ name }) => name));
  expect(first).toEqual(['it']);
  expect(second).toEqual(['it', 'read_artifact']);
  await stores.close();
  const whole = await callOf(() => 'x'.repeat(100 * 1024 * 1024), {
    stores: inProcessStores({ artifactBytes: 1024 }),
  });
  expect(whole.call.content).toMatch(/could not be kept/);
  expect(whole.call.content?.length).toBeLessThan(20_000);
});

it('takes 10 MB, NUL and half pairs as input, and refuses what is too large or no JSON', async () => {
  const stores = inProcessStores();
  const model = scriptedModel(() => ({ text: 'ok' }));
  await using assistant = quickAssistant({
    stores,
    model,
    limits: { maxInputBytes: 11 * 1024 * 1024 },
  });
  const large = `a\0b\ud800c${'x'.repeat(10 * 1024 * 1024)}`;
  const run = assistant.run(large, { conversationId: 'c' });
  expect((await run.result()).text).toBe('ok');
  const content = model.requests[0]?.messages[0]?.content;
  expect(content).toBe(large.replace('\0', '').replace('\ud800', '\ufffd'));
  const parts = assistant.run([
    { type: 'text', text: '\0x' },
    { type: 'image', url: 'data:,\ud800' },
  ]);
  await parts.result();
  expect(model.requests[1]?.messages[0]?.content).toEqual([
    { type: 'text', text: 'x' },
    { type: 'image', url: 'data:,\ufffd' },
  ]);
  expect(() => assistant.run('x'.repeat(12 * 1024 * 1024))).toThrow(/invalid_argument/);
  expect(await codeOf(assistant.run('Go').steer('x'))).toBeUndefined();
  expect(() => assistant.run('\0')).toThrow(TypeError);
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  expect(() => assistant.run('Go', { extra: cyclic as never })).toThrow(TypeError);
  expect(() => assistant.call('it', cyclic as never)).toThrow(TypeError);
  expect(() => assistant.call('it', undefined as never)).toThrow(TypeError);
  expect(() => assistant.run('Go', { roles: ['a\0'] })).toThrow(TypeError);
  expect(() => assistant.run('Go', { userId: '\ud800' })).toThrow(TypeError);
  expect(() => assistant.run(7 as never)).toThrow(TypeError);
  expect(() => assistant.run('Go', null as never)).toThrow(TypeError);
  const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);
  expect(() => assistant.call('it', deep)).toThrow(/invalid_argument/);
  await expectSound(stores, run.id);
});

it('hands arguments to the tool as they were sent, but for what no store takes', async () => {
  const nested = (levels: number): string =>
    levels === 0 ? '1' : `{"__proto__":${nested(levels - 1)}}`;
  const argumentsText = `{"n":"\\u0000a\\ud800b\\ud83d\\ude00 \\\\u0000","__proto__":${nested(500)},"constructor":{"prototype":{"polluted":1}}}`;
  const seen: unknown[] = [];
  const stores = inProcessStores();
  await using assistant = quickAssistant({
    stores,
    model: scriptedModel([{ toolCalls: [{ name: 'it', argumentsText }] }, { text: 'ok' }]),
    tools: [
      tool({
        name: 'it',
        description: '',
        parameters: { type: 'object' },
        effect: 'write',
        execute: (args) => {
          seen.push(args);
          return args;
        },
      }),
    ],
  });
  const run = assistant.run('Go');
  const [confirmation] = (await run.result()).confirmations;
  const shown = JSON.stringify(confirmation?.args);
  expect(shown).toContain('"n":"a\ufffdb😀 \\\\u0000"');
  expect(shown).toContain('{"__proto__":1}');
  await run.confirm(confirmation?.callId ?? '', { approve: true });
  expect((await run.result()).toolCalls).toMatchObject([{ outcome: 'succeeded' }]);
  expect(JSON.stringify(seen[0])).toBe(shown);
  expect(Object.hasOwn(seen[0] as object, '__proto__')).toBe(true);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  await expectSound(stores, run.id);
});

it('gives progress to readers, and nothing after the tool ended', async () => {
  let late = (_update: { progress: number }) => {};
  const { events, run, stores } = await callOf((_args, { progress }) => {
    progress({ progress: 1, total: 2, message: 'half' });
    late = progress;
    return 'ok';
  });
  late({ progress: 2 });
  expect(typesOf(events)).not.toContain('tool_progress');
  await using reader = quickAssistant({ stores });
  const seen = typesOf(await eventsOf(reader.attach(run.id)));
  expect(seen.filter((type) => type === 'tool_progress')).toHaveLength(1);
  expect(seen.at(-1)).toBe('complete');
});

it('asks nobody anything for a tool that has ended', async () => {
  let ask = async (_question: { message: string }): Promise<unknown> => undefined;
  const { run, stores } = await callOf((_args, { requestInput }) => {
    ask = requestInput;
    return 'ok';
  });
  expect(await codeOf(ask({ message: 'Still there?' }))).toBe('aborted');
  expect((await stores.runs.load(run.id, null))?.inputs).toEqual([]);
});

it('does not let a tool make up events', async () => {
  const forged = {
    type: 'complete',
    finishReason: 'stop',
    text: 'forged',
    callId: 'x',
    cursor: '9-9',
  };
  const { events, run, stores } = await callOf((_args, { progress }) => {
    progress({ progress: 1, ...forged });
    return 'ok';
  });
  expect(typesOf(events).filter((type) => type === 'complete')).toHaveLength(1);
  await using reader = quickAssistant({ stores });
  const seen = await eventsOf(reader.attach(run.id));
  expect(typesOf(seen)).toContain('tool_progress');
  expect(JSON.stringify(seen)).not.toContain('forged');
});

it('cannot execute a tool but through the gate', async () => {
  const { stores, run } = await callOf(() => 'ok', { effect: 'write' });
  const audit = await stores.audit.read(local, run.id);
  const started = audit.find(({ action }) => action === 'call.started');
  expect(started?.details).toMatchObject({ startedBy: 'waived:never', attempt: 1 });
  expect(await auditOf(stores, run.id)).toEqual(['call.started', 'call.finished', 'run.ended']);
});

it('left no rejection unhandled in all of the above', async () => {
  await new Promise(setImmediate);
  expect(unhandled).not.toHaveBeenCalled();
});
