import assert from 'node:assert/strict';
import { newId } from '../../internal/ids.ts';
import { atOnce } from './assertions.ts';
import {
  callOf,
  claimBy,
  claimed,
  decisionOf,
  ended,
  long,
  newRun,
  owner,
  type RunStoreCase,
  startRun,
  stored,
  strangers,
  waitingRun,
  wokenBy,
} from './run-store-samples.ts';

export const createCases: readonly RunStoreCase[] = [
  {
    title: 'creates a run, claims it and writes the user message',
    async run({ store }) {
      const asked = newRun();
      const outcome = await store.runs.create(asked);
      assert.equal(outcome.kind, 'claimed');
      assert.ok('now' in outcome);
      const { run, now } = outcome;
      assert.ok(now >= run.createdAt && now < run.createdAt + 10_000);
      assert.equal(run.status, 'running');
      assert.equal(run.epoch, 1);
      assert.deepEqual(
        [run.input, run.options, run.principal],
        [asked.input, asked.options, asked.principal],
      );
      assert.equal(run.deadlineAt, run.createdAt + asked.deadlineMs);
      assert.deepEqual([run.turns, run.calls, run.inputs, run.steers], [[], [], [], []]);
      assert.deepEqual(
        [run.partial, run.end, run.lastCursor, run.eventCount],
        [null, null, null, 0],
      );
      const messages = await store.conversations.read(owner, asked.conversationId, { limit: 5 });
      assert.deepEqual(
        messages.map(({ role, content, runId }) => ({ role, content, runId })),
        [{ role: 'user', content: 'Hello', runId: asked.runId }],
      );
    },
  },
  {
    title: 'writes no message for a run that is one tool call',
    async run({ store }) {
      const asked = newRun({ input: { kind: 'call', tool: 'add', args: { a: 1 } } });
      await store.runs.create(asked);
      assert.deepEqual(
        await store.conversations.read(owner, asked.conversationId, { limit: 5 }),
        [],
      );
    },
  },
  {
    title: 'gives every created run an incarnation of its own',
    async run(context) {
      const [one, two] = [await startRun(context), await startRun(context)];
      assert.notEqual(one.run.incarnation, two.run.incarnation);
      assert.ok(one.run.incarnation.length >= 8);
    },
  },
  {
    title:
      'answers the same request with the same run, whatever its state, and writes nothing twice',
    async run(context) {
      const { runs, conversations } = context.store;
      const asked = newRun({ requestId: 'r-1', requestDigest: 'd-1' });
      await runs.create(asked);
      const again = { ...asked, runId: newId('run'), conversationId: 'elsewhere' };
      const whileRunning = await runs.create(again);
      await runs.finish({ runId: asked.runId, epoch: 1 }, ended, null, []);
      const afterEnd = await runs.create(again);
      for (const outcome of [whileRunning, afterEnd]) {
        assert.equal(outcome.kind, 'existing');
        assert.ok('run' in outcome && outcome.run.runId === asked.runId);
      }
      assert.ok('run' in afterEnd && afterEnd.run.status === 'succeeded');
      assert.deepEqual(await conversations.read(owner, 'elsewhere', { limit: 5 }), []);
    },
  },
  {
    title: 'refuses another body under a request id that was used',
    async run({ store }) {
      await store.runs.create(newRun({ requestId: 'r-1', requestDigest: 'd-1' }));
      const outcome = await store.runs.create(newRun({ requestId: 'r-1', requestDigest: 'd-2' }));
      assert.equal(outcome.kind, 'request_conflict');
    },
  },
  {
    title: 'keeps request ids of users and tenants apart',
    async run({ store }) {
      const request = { requestId: 'r-1', requestDigest: 'd-1' };
      await store.runs.create(newRun(request));
      for (const stranger of strangers) {
        const outcome = await store.runs.create(newRun({ ...request, ...stranger }));
        assert.equal(outcome.kind, 'claimed');
      }
    },
  },
  {
    title: 'makes one run of 50 equal requests at once',
    async run(context) {
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.create(
          newRun({ requestId: 'r-1', requestDigest: 'd-1', conversationId: 'c-1' }),
        ),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === 'claimed').length, 1);
      assert.equal(outcomes.filter(({ kind }) => kind === 'existing').length, 49);
      const ids = new Set(outcomes.map((outcome) => 'run' in outcome && outcome.run.runId));
      assert.equal(ids.size, 1);
    },
  },
  {
    title: 'refuses a second run of a busy conversation',
    async run({ store }) {
      await store.runs.create(newRun({ conversationId: 'c-1' }));
      const outcome = await store.runs.create(newRun({ conversationId: 'c-1' }));
      assert.equal(outcome.kind, 'conversation_busy');
    },
  },
  {
    title: 'refuses a run while another of the conversation waits for a person',
    async run(context) {
      await waitingRun(context, [callOf()], { conversationId: 'c-1' });
      const outcome = await context.store.runs.create(newRun({ conversationId: 'c-1' }));
      assert.equal(outcome.kind, 'conversation_busy');
    },
  },
  {
    title: 'lets one of 50 runs of a conversation begin at once',
    async run(context) {
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs.create(newRun({ conversationId: 'c-1' })),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === 'claimed').length, 1);
      assert.equal(outcomes.filter(({ kind }) => kind === 'conversation_busy').length, 49);
    },
  },
  {
    title: 'treats a conversation of another owner under the same id as another conversation',
    async run(context) {
      await startRun(context, { conversationId: 'c-1' });
      for (const stranger of strangers) {
        await startRun(context, { ...stranger, conversationId: 'c-1' });
      }
      const messages = await context.store.conversations.read(owner, 'c-1', { limit: 9 });
      assert.equal(messages.length, 1);
    },
  },
  {
    title: 'queues runs of a busy conversation in order, as many as may wait',
    async run(context) {
      const { runs } = context.store;
      const conversation = { conversationId: 'c-1', onBusy: 'queue', queueLimit: 2 } as const;
      const first = await startRun(context, conversation);
      const [second, third] = [newRun(conversation), newRun(conversation)];
      assert.equal((await runs.create(second)).kind, 'queued');
      assert.equal((await runs.create(third)).kind, 'queued');
      assert.equal((await runs.create(newRun(conversation))).kind, 'queue_full');
      assert.equal(await runs.claim(second.runId, claimBy('process-2', long)), null);

      assert.deepEqual(wokenBy(await runs.finish(first.fence, ended, null, [])), [second.runId]);
      assert.equal(await runs.claim(third.runId, claimBy('process-2', long)), null);
      const { fence } = await claimed(context, second.runId);
      assert.deepEqual(wokenBy(await runs.finish(fence, ended, null, [])), [third.runId]);
    },
  },
  {
    title: 'begins to count the deadline of a queued run when its turn comes',
    async run(context) {
      const conversation = { conversationId: 'c-1', onBusy: 'queue' } as const;
      const first = await startRun(context, conversation);
      const second = newRun(conversation);
      await context.store.runs.create(second);
      await context.passTime(100);
      await context.store.runs.finish(first.fence, ended, null, []);
      const { run } = await claimed(context, second.runId);
      assert.ok(run.deadlineAt >= run.createdAt + second.deadlineMs + 100);
    },
  },
  {
    title: 'supersedes a waiting run: declines what it asked and wakes it to end',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const old = await waitingRun(context, [call], { conversationId: 'c-1' });
      const next = newRun({ conversationId: 'c-1', onBusy: 'supersede' });
      const outcome = await runs.create(next);
      assert.equal(outcome.kind, 'queued');
      assert.ok('wake' in outcome);
      assert.deepEqual(
        outcome.wake.map(({ runId }) => runId),
        [old.run.runId],
      );
      const late = await runs.decide(decisionOf(old.run.runId, call));
      assert.deepEqual([late.kind, 'code' in late && late.code], ['refused', 'already_decided']);

      const { run, fence } = await claimed(context, old.run.runId);
      assert.deepEqual([run.cancelRequested, run.status], [true, 'cancelling']);
      assert.equal(run.calls[0]?.confirmation?.status, 'declined');
      assert.deepEqual(
        wokenBy(await runs.finish(fence, { ...ended, status: 'cancelled' }, null, [])),
        [next.runId],
      );
    },
  },
  {
    title: 'supersedes a running run: its owner is asked to end, the new one waits',
    async run(context) {
      const { runs } = context.store;
      const old = await startRun(context, { conversationId: 'c-1' });
      const next = newRun({ conversationId: 'c-1', onBusy: 'supersede' });
      const outcome = await runs.create(next);
      assert.ok(outcome.kind === 'queued' && outcome.wake.length === 0);
      const [renewal] = await runs.renew([old.fence], long);
      assert.equal(renewal?.cancelRequested, true);
      assert.equal((await stored(context, old.run.runId)).status, 'cancelling');
      assert.equal(await runs.claim(next.runId, claimBy('process-2', long)), null);
    },
  },
];
