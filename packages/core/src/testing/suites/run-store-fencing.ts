import assert from 'node:assert/strict';
import type { Fence } from '../../stores/run-store.ts';
import { rejectsWith } from './assertions.ts';
import {
  abandonedRun,
  beginBy,
  callOf,
  claimed,
  ended,
  event,
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
import type { SuiteContext } from './suite.ts';

const planned = callOf({ authorization: 'waived:test' });
const asking = callOf();

/** Every verb that needs the right to write. */
const verbs: Readonly<
  Record<string, (runs: RunStoreSubject['runs'], fence: Fence) => Promise<unknown>>
> = {
  release: (runs, fence) => runs.release(fence),
  append: (runs, fence) => runs.append(fence, [event(fence, 9)]),
  savePartial: (runs, fence) => runs.savePartial(fence, { turn: 2, text: 'late', cursor: '1-7' }),
  commitTurn: (runs, fence) => runs.commitTurn(fence, turnOf(2), [], [event(fence, 9)]),
  startCall: (runs, fence) => runs.startCall(fence, requestOf(planned), [event(fence, 9)]),
  finishCall: (runs, fence) => runs.finishCall(fence, planned.callId, success, [event(fence, 9)]),
  pause: (runs, fence) =>
    runs.pause(fence, [{ callId: asking.callId, decideWithinMs: 1_000 }], [event(fence, 9)]),
  requestInput: (runs, fence) =>
    runs.requestInput(
      fence,
      { requestId: 'i-9', callId: planned.callId, server: 's', message: 'm' },
      [event(fence, 9)],
    ),
  applySteers: (runs, fence) => runs.applySteers(fence, ['s-1'], 2, [event(fence, 9)]),
  finish: (runs, fence) => runs.finish(fence, ended, { content: 'late' }, [event(fence, 9)]),
};

/** The run refuses every verb under `fence`, and is as it was. */
async function refusesAll(
  context: SuiteContext<RunStoreSubject>,
  fence: Fence,
  verb: keyof typeof verbs,
): Promise<void> {
  const { runs, conversations } = context.store;
  const before = await stored(context, fence.runId);
  await rejectsWith('fenced', verbs[verb]?.(runs, fence) ?? Promise.resolve());
  assert.deepEqual(await stored(context, fence.runId), before);
  const messages = await conversations.read(owner, before.conversationId, { limit: 9 });
  assert.ok(messages.every((message) => message.content !== 'late'));
}

const afterTakeOver: readonly RunStoreCase[] = Object.keys(verbs).map((verb) => ({
  title: `refuses ${verb} of an owner that was replaced`,
  async run(context) {
    const calls = [planned, asking].map((call) => ({ ...call }));
    const { fence } = await withCalls(context, calls, { claim: beginBy('lost', short) });
    await context.store.runs.steer(fence.runId, owner, { steerId: 's-1', text: 'hurry' });
    await context.passTime(short * 3);
    const heir = await claimed(context, fence.runId);
    await refusesAll(context, fence, verb);
    await verbs[verb]?.(context.store.runs, heir.fence);
  },
}));

const afterEnd: readonly RunStoreCase[] = Object.keys(verbs).map((verb) => ({
  title: `refuses ${verb} once the run has ended`,
  async run(context) {
    const { fence } = await withCalls(context, [planned, asking]);
    await context.store.runs.finish(fence, ended, null, []);
    await refusesAll(context, fence, verb);
  },
}));

export const fencingCases: readonly RunStoreCase[] = [
  ...afterTakeOver,
  ...afterEnd,
  {
    title: 'refuses to write to an unknown run, to a queued one, and under an epoch to come',
    async run(context) {
      const { runs } = context.store;
      const { fence } = await startRun(context, { conversationId: 'c-1' });
      const queued = newRun({ conversationId: 'c-1', onBusy: 'queue' });
      await runs.create(queued);
      const wrong = [
        { runId: 'run_unknown', epoch: 1 },
        { runId: queued.runId, epoch: 0 },
        { runId: fence.runId, epoch: fence.epoch + 1 },
        { runId: fence.runId, epoch: fence.epoch - 1 },
      ];
      for (const stale of wrong) await rejectsWith('fenced', runs.append(stale, [event(stale, 0)]));
    },
  },
  {
    title: 'refuses an owner that released its run',
    async run(context) {
      const { fence } = await startRun(context);
      await context.store.runs.release(fence);
      await rejectsWith('fenced', context.store.runs.append(fence, [event(fence, 0)]));
    },
  },
  {
    title: 'lets the owner write as long as nobody took over, even after its lease ran out',
    async run(context) {
      const { run, fence } = await abandonedRun(context);
      await context.store.runs.append(fence, [event(fence, 0)]);
      assert.equal((await stored(context, run.runId)).eventCount, 1);
    },
  },
];
