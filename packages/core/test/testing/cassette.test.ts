import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelClient, ModelRequest } from '../../src/model/model-client.ts';
import type { ModelEvent } from '../../src/model/model-events.ts';
import { recordingModel, replayingModel } from '../../src/testing/cassette.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import { all } from './all.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steward-cassette-'));
  path = join(folder, 'deep', 'cassette.json');
});
afterEach(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const ask = (content: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content }],
  tools: [],
  ...more,
});
const turn = (model: ModelClient, request: ModelRequest): Promise<ModelEvent[]> =>
  all(model.stream(request, { signal }));

async function record(requests: readonly ModelRequest[]): Promise<ModelEvent[][]> {
  const real = scriptedModel((request) => ({
    text: `You said ${JSON.stringify(request.messages.at(-1)?.content)} 😀`,
  }));
  const recording = recordingModel(real, path);
  const answers: ModelEvent[][] = [];
  for (const request of requests) answers.push(await turn(recording, request));
  return answers;
}

test('replays what was recorded, event by event', async () => {
  const requests = [ask('one'), ask('two', { instructions: 'Be brief.' })];
  const recorded = await record(requests);
  const replaying = replayingModel(path);
  expect(await turn(replaying, requests[0] as ModelRequest)).toEqual(recorded[0]);
  expect(() => replaying.assertComplete()).toThrow('1 of 2 recorded requests came');
  expect(await turn(replaying, requests[1] as ModelRequest)).toEqual(recorded[1]);
  replaying.assertComplete();
  expect(replaying.requests).toHaveLength(2);
});

test('names the first difference between a request and the recorded one', async () => {
  await record([ask('one', { maxOutputTokens: 5 })]);
  const [event] = await turn(replayingModel(path), ask('two'));
  expect(event).toEqual({
    type: 'error',
    error: {
      status: 400,
      code: 'cassette_mismatch',
      type: 'replaying_model',
      message:
        'Request 1 is not the recorded one: messages[0].content is "two", recorded was "one". ' +
        `Record again if that is meant. (${path})`,
    },
  });
  const [absent] = await turn(replayingModel(path), ask('one'));
  expect(absent).toMatchObject({
    error: { message: expect.stringContaining('maxOutputTokens is absent, recorded was 5') },
  });
});

test('by order, it answers whatever is asked; one request too many is an error', async () => {
  const recorded = await record([ask('one')]);
  const replaying = replayingModel(path, { match: 'order' });
  expect(await turn(replaying, ask('something else'))).toEqual(recorded[0]);
  expect(await turn(replaying, ask('more'))).toMatchObject([
    { error: { message: expect.stringContaining('Request 2 is one more than were recorded') } },
  ]);
});

test('stores no credentials, and replays the request that had them', async () => {
  const request = ask('my key is sk-abcdefghijklmnopqrstuv, Bearer abc.def.ghi123', {
    extra: {
      headers: { authorization: 'Basic xyz' },
      apiKey: 'hunter2',
      metadata: { password: 'hunter2' },
    },
    tools: [
      {
        name: 'log_in',
        description: 'Logs in',
        parameters: { type: 'object', properties: { password: { type: 'string' } } },
      },
    ],
  });
  await turn(recordingModel(scriptedModel([{ text: 'Never say it.' }]), path), request);
  const file = await readFile(path, 'utf8');
  for (const secret of ['sk-abc', 'abc.def', 'xyz', 'hunter2']) expect(file).not.toContain(secret);
  expect(JSON.parse(file).exchanges[0].request.tools).toEqual(request.tools);
  expect((await turn(replayingModel(path), request))[0]).toMatchObject({ type: 'start' });
});

test('keeps what was said when the caller left in mid-answer', async () => {
  const recording = recordingModel(scriptedModel([{ text: 'one two three' }]), path);
  for await (const event of recording.stream(ask('Hi'), { signal })) {
    if (event.type === 'text') break;
  }
  const events = await turn(replayingModel(path), ask('Hi'));
  expect(events.map((event) => event.type)).toEqual(['start', 'text']);
});

test('exchanges at the same time are kept in the order of their requests', async () => {
  const recording = recordingModel(
    scriptedModel((_request, n) => ({ text: n === 1 ? 'a long answer of the first' : 'short' })),
    path,
  );
  const answers = await Promise.all([turn(recording, ask('one')), turn(recording, ask('two'))]);
  const replaying = replayingModel(path);
  expect(await turn(replaying, ask('one'))).toEqual(answers[0]);
  expect(await turn(replaying, ask('two'))).toEqual(answers[1]);
});

test('says when there is no cassette, or something else in its place', async () => {
  expect(() => replayingModel(path)).toThrow(
    `The cassette ${path} cannot be read. Record it first`,
  );
  const other = join(folder, 'other.json');
  await writeFile(other, '{"version":2}');
  expect(() => replayingModel(other)).toThrow('is not a cassette of version 1');
  expect(() => replayingModel(other, { match: 'loose' as never })).toThrow(TypeError);
});
