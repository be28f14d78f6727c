import { expect, it } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import type { AssistantOptions } from '../../src/options.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

/** An assistant of options that a type checker may not have seen. */
function assistantOf(options: object): Assistant {
  return new Assistant({ model: scriptedModel([{ text: 'Hello.' }]), ...options });
}

it.each<[string, object]>([
  ['modle is not an option', { modle: 'gpt-5' }],
  ['model is missing', { model: undefined }],
  ['model must be a name', { model: 7 }],
  ['instructions must be a text', { instructions: ['be brief'] }],
  ['tools must be an array', { tools: {} }],
  ['tools[0] must be made by tool()', { tools: [{ name: 'x' }] }],
  ['stores must be an object with runs', { stores: {} }],
  ['engine must be an object with enqueue', { engine: { start() {} } }],
  ['telemetry must be', { telemetry: () => {} }],
  ['clock must be', { clock: Date }],
  ['masking must be a function', { masking: /x/ }],
  ['prepareTurn must be a function', { prepareTurn: {} }],
  ['crashPoint must be a function', { crashPoint: 'after_effect' }],
  ['rateLimit must be', { rateLimit: { points: 0, windowMs: 1_000 } }],
  ['limits must be an object', { limits: 7 }],
  ['limits.turns is not an option', { limits: { turns: 7 } }],
  ['limits.maxTurns must be a positive integer', { limits: { maxTurns: 0 } }],
  ['limits.maxParallelCalls must be a positive integer', { limits: { maxParallelCalls: 0 } }],
  ['limits.toolTimeoutMs must be a positive integer', { limits: { toolTimeoutMs: Number.NaN } }],
  ['limits.queueLimit must be an integer', { limits: { queueLimit: -1 } }],
  ['limits.resultLimitBytes must be', { limits: { resultLimitBytes: 100 } }],
  ['lease.ttlMs must be a positive integer', { lease: { ttlMs: '10s' } }],
  ['lease.beatMs must be at most half', { lease: { ttlMs: 1_000, beatMs: 900 } }],
  ['budgets.runToken is not an option', { budgets: { runToken: 1 } }],
  ['budgets.runTokens must be a positive integer or null', { budgets: { runTokens: '1' } }],
  ['budgets.userTokens must be a list', { budgets: { userTokens: [{ tokens: 1 }] } }],
])('refuses an option and says why: %s', (message, options) => {
  expect(() => assistantOf(options)).toThrow(TypeError);
  expect(() => assistantOf(options)).toThrow(`Assistant: ${message}`);
});

it('takes an option that is undefined as one that is not there', async () => {
  const options = {
    instructions: undefined,
    stores: undefined,
    rateLimit: undefined,
    limits: { maxTurns: undefined, historyMessages: 0 },
    lease: { ttlMs: undefined },
    budgets: { userTokens: undefined },
  } as unknown as Partial<AssistantOptions>;
  await using assistant = assistantOf(options);
  expect(await assistant.run('Hi').text()).toBe('Hello.');
});

it('refuses files of this process when its engine shares runs with others', async () => {
  const engine = new InProcessEngine();
  const shared: RunEngine = {
    isShared: true,
    enqueue: (wake) => engine.enqueue(wake),
    start: (handler) => engine.start(handler),
    stop: (drainMs, until) => engine.stop(drainMs, until),
    stats: () => engine.stats(),
  };
  const stores = inProcessStores();
  for (const given of [{ engine: shared }, { engine: shared, stores }]) {
    expect(() => assistantOf(given)).toThrow(
      /^Assistant: stores\.artifacts are kept in this process/,
    );
  }
  const artifacts = { ...stores.artifacts, isLocal: false };
  await using assistant = assistantOf({ engine: shared, stores: { ...stores, artifacts } });
  expect(await assistant.run('Hi').text()).toBe('Hello.');
});
