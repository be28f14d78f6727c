import assert from 'node:assert/strict';
import { newId } from '../../internal/ids.ts';
import type { Fence } from '../../stores/run-store.ts';
import { turnReservation } from '../../stores/usage-store.ts';
import { atOnce, tryToChange } from './assertions.ts';
import {
  beginBy,
  callOf,
  claimed,
  ended,
  event,
  long,
  longer,
  newRun,
  owner,
  type RunStoreCase,
  type RunStoreSubject,
  requestOf,
  short,
  startRun,
  stored,
  success,
  turnOf,
  withCalls,
} from './run-store-samples.ts';

/** Texts that have broken stores: beyond the basic plane, right to left, combining, quotes, a member named __proto__. */
const texts = [
  '\u{1F469}\u200D\u{1F4BB} \u{20BB7}',
  '\u0645\u0631\u062D\u0628\u0627 \u202Eabc',
  'e\u0301 \u00E9',
  `'"\\ $1 %s {} \r\n\t\u2028 \u0001`,
  '',
];
const sizes = [1, 1_000, 64 * 1024, 1024 * 1024];

async function eventsOf({ runs }: RunStoreSubject, { runId }: Fence) {
  return runs.events(runId, 0, 1_000);
}

const usage = {
  inputTokens: 10,
  outputTokens: 5,
  totalTokens: 15,
  cachedTokens: 4,
  reasoningTokens: 2,
};

export const logCases: readonly RunStoreCase[] = [
  {
    title: 'numbers durable events from 1 without a gap, whichever verb appends them',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context);
      const call = callOf({ authorization: 'waived:test' });
      const input = { requestId: 'i-1', callId: call.callId, server: 's', message: 'm' };
      await runs.append(fence, [event(fence, 1), event(fence, 2)]);
      await runs.commitTurn(fence, turnOf(1), [call], [event(fence, 3)]);
      await runs.startCall(fence, requestOf(call), [event(fence, 4)]);
      await runs.requestInput(fence, input, [event(fence, 5)]);
      await runs.finishCall(fence, call.callId, success, [event(fence, 6)]);
      await runs.applySteers(fence, [], 2, [event(fence, 7)]);
      await runs.pause(fence, [], [event(fence, 8)]);
      await runs.finish(fence, ended, null, [event(fence, 9)]);
      const log = await eventsOf(context.store, fence);
      assert.deepEqual(
        log.map(({ n, event: { cursor } }) => [n, cursor]),
        Array.from({ length: 9 }, (_, index) => [index + 1, `1-${index + 1}`]),
      );
      const run = await stored(context, fence.runId);
      assert.deepEqual([run.eventCount, run.lastCursor], [9, '1-9']);
    },
  },
  {
    title: 'goes on numbering under the next owner',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context, { claim: beginBy('lost', short) });
      await runs.append(fence, [event(fence, 0)]);
      await context.passTime(longer);
      const heir = await claimed(context, fence.runId);
      await runs.append(heir.fence, [event(heir.fence, 0)]);
      const log = await eventsOf(context.store, fence);
      assert.deepEqual(
        log.map(({ n, event: { cursor } }) => [n, cursor]),
        [
          [1, '1-0'],
          [2, '2-0'],
        ],
      );
    },
  },
  {
    title: 'numbers events that are appended at once without a gap',
    async run(context) {
      const { fence } = await startRun(context);
      const other = await context.reopen();
      await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.append(fence, [event(fence, index)]),
      );
      const log = await eventsOf(context.store, fence);
      assert.deepEqual(
        log.map(({ n }) => n),
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      assert.equal(new Set(log.map((one) => one.event.cursor)).size, 50);
    },
  },
  {
    title: 'returns the events after a number, as many as asked for',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context);
      await runs.append(
        fence,
        [0, 1, 2, 3].map((k) => event(fence, k)),
      );
      const page = await runs.events(fence.runId, 1, 2);
      assert.deepEqual(
        page.map(({ n }) => n),
        [2, 3],
      );
      assert.deepEqual(await runs.events(fence.runId, 4, 2), []);
      assert.deepEqual(await runs.events('run_unknown', 0, 2), []);
    },
  },
  {
    title: 'keeps payloads of 1 byte to 1 MiB and every well-formed text as they are',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context);
      const messages = [...texts, ...sizes.map((size) => 'x'.repeat(size))];
      const args = { texts, ...JSON.parse('{"__proto__":{"a":[null,true,-1.5e-7]}}') };
      await runs.append(
        fence,
        messages.map((message, k) => event(fence, k, message)),
      );
      await runs.commitTurn(fence, turnOf(1), [callOf({ args })], []);
      const log = await eventsOf(context.store, fence);
      assert.deepEqual(
        log.map((one) => 'message' in one.event && one.event.message),
        messages,
      );
      const run = await stored(context, fence.runId);
      assert.equal(JSON.stringify(run.calls[0]?.args), JSON.stringify(args));
    },
  },
  {
    title: 'keeps an input of 1 MiB and its own copy of what it was given',
    async run(context) {
      const content = [{ type: 'text' as const, text: 'x'.repeat(1024 * 1024) }];
      const asked = newRun({ input: { kind: 'message', content } });
      await context.store.runs.create(asked);
      tryToChange(() => content.push({ type: 'text', text: 'added later' }));
      const { input } = await stored(context, asked.runId);
      assert.ok(input.kind === 'message' && input.content.length === 1);
    },
  },
  {
    title: 'gives out what nobody can use to change the store',
    async run(context) {
      const { fence } = await withCalls(context, [callOf()]);
      const before = JSON.stringify(await stored(context, fence.runId));
      const run = (await stored(context, fence.runId)) as unknown as {
        status: string;
        calls: { tool: string; args: { to?: string } }[];
        turns: unknown[];
      };
      tryToChange(() => run.turns.pop());
      tryToChange(() => Object.assign(run.calls[0] ?? {}, { argsDigest: 'other' }));
      tryToChange(() => Object.assign(run.calls[0]?.args ?? {}, { to: 'mallory@example.com' }));
      tryToChange(() => Object.assign(run, { status: 'failed' }));
      assert.equal(JSON.stringify(await stored(context, fence.runId)), before);
    },
  },
  {
    title: 'commits a turn once and plans its calls',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context);
      const call = callOf();
      await runs.savePartial(fence, { turn: 1, text: 'Hel', cursor: '1-7' });
      await runs.commitTurn(fence, turnOf(1), [call], [event(fence, 0)]);
      await runs.commitTurn(fence, turnOf(1, { responseId: 'x' }), [callOf()], [event(fence, 1)]);
      const run = await stored(context, fence.runId);
      assert.equal(run.partial, null);
      assert.equal(run.eventCount, 1);
      assert.deepEqual(run.turns, [turnOf(1)]);
      assert.deepEqual(run.calls, [
        {
          ...call,
          status: 'planned',
          starts: 0,
          startedBy: null,
          result: null,
          confirmation: null,
        },
      ]);
    },
  },
  {
    title: 'saves the text of the open turn in place of what was saved, for the next owner',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context, { claim: beginBy('lost', short) });
      await runs.savePartial(fence, { turn: 1, text: 'Hel', cursor: '1-7' });
      const partial = { turn: 1, text: 'Hello', cursor: '1-7', responseId: 'resp_1' };
      await runs.savePartial(fence, partial);
      await context.passTime(longer);
      const { run } = await claimed(context, fence.runId);
      assert.deepEqual(run.partial, partial);
    },
  },
  {
    title: 'adds up the usage of turns and counts it to the user, in place of the reservation',
    async run(context) {
      const { store } = context;
      const { fence } = await startRun(context);
      const year = 100 * 365 * 86_400_000;
      const limit = [{ windowMs: year, tokens: 1_000 }];
      await store.usage.reserve(owner, turnReservation(fence, 1), 100, limit);
      await store.runs.commitTurn(fence, turnOf(1, { usage }), [], []);
      await store.runs.commitTurn(fence, turnOf(2, { usage }), [], []);
      await store.runs.commitTurn(fence, turnOf(2, { usage }), [], []);
      await store.usage.settle(owner, turnReservation(fence, 1), 99);
      const run = await stored(context, fence.runId);
      assert.deepEqual(run.usage, {
        inputTokens: 20,
        outputTokens: 10,
        totalTokens: 30,
        cachedTokens: 8,
        reasoningTokens: 4,
      });
      assert.deepEqual(await store.usage.read(owner, year), { used: 30, reserved: 0 });
    },
  },
  {
    title: 'answers with the heads of known runs',
    async run(context) {
      const { runs } = context.store;
      const one = await startRun(context);
      const two = await startRun(context);
      await runs.append(one.fence, [event(one.fence, 0)]);
      await runs.release(two.fence);
      const heads = await runs.heads([one.run.runId, newId('run'), two.run.runId]);
      assert.deepEqual(
        heads.toSorted((a, b) => b.eventCount - a.eventCount),
        [
          { runId: one.run.runId, status: 'running', epoch: 1, eventCount: 1 },
          { runId: two.run.runId, status: 'queued', epoch: 1, eventCount: 0 },
        ],
      );
      assert.deepEqual(await runs.heads([]), []);
    },
  },
  {
    title: 'loads any run for the engine, and nothing for an unknown id',
    async run(context) {
      const { run } = await startRun(context, { claim: beginBy('process-1', long) });
      assert.equal((await context.store.runs.load(run.runId, null))?.runId, run.runId);
      assert.equal(await context.store.runs.load('run_unknown', null), null);
    },
  },
];
