import { afterAll, expect, it } from 'vitest';
import { Assistant } from '../../src/assistant.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { codeOf } from '../run/workshop.ts';

const assistant = new Assistant({
  model: scriptedModel([]),
  limits: { maxInputBytes: 1_000 },
  mcp: { files: { command: 'never-started' } },
});
afterAll(() => assistant.close());

/** The same verbs for a caller whose arguments no type checker has seen. */
const verbs = assistant as unknown as Record<string, (...args: unknown[]) => unknown>;
const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

it.each<[string, string, unknown[]]>([
  ['run: input must be a text that is not empty', 'run', ['']],
  ['run: input must be a text or a list of parts', 'run', [7]],
  ['run: input[0].type must be text, image, file', 'run', [[{ type: 'audio' }]]],
  ['run: input[1].url must be a URL', 'run', [[{ type: 'text', text: '' }, { type: 'image' }]]],
  ['run: input[0].url must be a URL', 'run', [[{ type: 'image', url: '' }]]],
  ['run: input[0].detail must be', 'run', [[{ type: 'image', url: 'data:', detail: 'huge' }]]],
  ['run: input[0] must be a file with data or fileId', 'run', [[{ type: 'file' }]]],
  ['run: input[0] must be a file with data or fileId', 'run', [[{ type: 'file', data: 7 }]]],
  ['run: options must be an object', 'run', ['Hi', null]],
  ['run: conversationId must be a text of 1 to 200', 'run', ['Hi', { conversationId: '' }]],
  ['run: conversationId must be plain text', 'run', ['Hi', { conversationId: 'a\nb' }]],
  ['run: requestId must be a text', 'run', ['Hi', { requestId: 'x'.repeat(201) }]],
  ['run: userId must be a text', 'run', ['Hi', { userId: 7 }]],
  ['run: tenantId must be plain text', 'run', ['Hi', { tenantId: '\ud800' }]],
  ['run: roles must be an array', 'run', ['Hi', { roles: 'admin' }]],
  ['run: roles must be an array', 'run', ['Hi', { roles: Array(201).fill('r') }]],
  ["run: onBusy must be 'refuse', 'queue' or 'supersede'", 'run', ['Hi', { onBusy: 'wait' }]],
  ['run: timeoutMs must be a positive integer', 'run', ['Hi', { timeoutMs: 0 }]],
  ['run: maxTurns must be a positive integer', 'run', ['Hi', { maxTurns: 1.5 }]],
  ['run: toolChoice must be', 'run', ['Hi', { toolChoice: 'add' }]],
  ['run: output must describe an object', 'run', ['Hi', { output: { type: 'string' } }]],
  ['run: extra must be an object', 'run', ['Hi', { extra: [] }]],
  ['call: tool must be a text', 'call', [undefined, {}]],
  ['call: args must be JSON', 'call', ['add', cyclic]],
  ['call: args must be JSON', 'call', ['add', undefined]],
  ['run: conversation is not an option', 'run', ['Hi', { conversation: 'c1' }]],
  ['call: maxTurns is not an option', 'call', ['add', {}, { maxTurns: 1 }]],
  ['attach: runId must be a text', 'attach', [undefined]],
  ['attach: options must be an object', 'attach', ['run_1', null]],
  ['attach: afer is not an option', 'attach', ['run_1', { afer: '1-1' }]],
  ['attach: after must be the cursor of an event', 'attach', ['run_1', { after: 7 }]],
])(
  'throws at an argument of a verb that gives a run, and names it: %s (%s)',
  (message, verb, args) => {
    const refused = () => verbs[verb]?.apply(assistant, args);
    expect(refused).toThrow(TypeError);
    expect(refused).toThrow(message);
  },
);

it.each<[string, string, unknown[]]>([
  ['confirm: callId must be a text', 'confirm', ['run_1', '']],
  ['confirm: approve must be a boolean', 'confirm', ['run_1', 'call_1']],
  ['confirm: argsDigest must be a text', 'confirm', ['run_1', 'call_1', { approve: true }]],
  ['answer: requestId must be a text', 'answer', ['run_1', undefined, {}]],
  ['cancel: the principal must be an object', 'cancel', ['run_1', 'ann']],
  ['steer: text must be a text', 'steer', ['run_1', { text: 'no' }]],
  ['prompts: the principal must be an object', 'prompts', ['files', 'ann']],
  ['prompt: userId must be a text', 'prompt', ['files', 'hello', {}, { userId: '' }]],
  ['signIn: the principal must be an object', 'signIn', ['files', 'ann']],
  ['finishSignIn: url must be the address', 'finishSignIn', ['/callback?code=1']],
  ['finishSignIn: the principal must be an object', 'finishSignIn', ['https://a.example', 7]],
  ['approveTools: hashes must be an object of texts', 'approveTools', ['files', 'abc']],
  ['approveTools: hashes must be an object of texts', 'approveTools', ['files', { read: 7 }]],
  ['close: drainMs must be milliseconds', 'close', [{ drainMs: -1 }]],
  ['close: drainMs must be milliseconds', 'close', [{ drainMs: '5s' }]],
])(
  'rejects an argument of a verb that gives a promise, and names it: %s (%s)',
  async (message, verb, args) => {
    const refused = verbs[verb]?.apply(assistant, args);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(message);
  },
);

it('rejects in the same way from a run', async () => {
  const run = assistant.attach('run_1');
  await expect(run.answer('', {})).rejects.toThrow('answer: requestId must be a text');
  await expect(run.steer('')).rejects.toThrow('steer: text must be a text that is not empty');
});

it('refuses what is too large with a code', async () => {
  const tooLarge = async (refused: () => unknown) => codeOf(Promise.resolve().then(refused));
  expect(await tooLarge(() => assistant.run('x'.repeat(1_001)))).toBe('invalid_argument');
  expect(await tooLarge(() => assistant.call('x', ['x'.repeat(999)]))).toBe('invalid_argument');
  expect(await codeOf(assistant.steer('r', 'x'.repeat(1_001)))).toBe('invalid_argument');
});
