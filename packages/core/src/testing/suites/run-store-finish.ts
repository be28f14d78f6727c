import assert from 'node:assert/strict';
import type { RunEnd } from '../../stores/run-store.ts';
import { atOnce } from './assertions.ts';
import {
  auditOf,
  callOf,
  ended,
  event,
  newRun,
  owner,
  type RunStoreCase,
  startRun,
  stored,
  strangers,
  waitingRun,
} from './run-store-samples.ts';

const failed: RunEnd = {
  status: 'failed',
  text: 'Half an ans',
  finishReason: null,
  error: { code: 'model_failed', message: 'The model went away.', retryable: true },
};

export const finishCases: readonly RunStoreCase[] = [
  {
    title: 'ends a run with its state, its event and the message of the assistant',
    async run(context) {
      const { runs, conversations } = context.store;
      const { run, fence } = await startRun(context);
      const end: RunEnd = { ...ended, refusal: 'no', output: { a: [1] } };
      const turns = [{ role: 'assistant' as const, content: 'Done.' }];
      await runs.savePartial(fence, { turn: 1, text: 'Do', cursor: '1-7' });
      await runs.finish(fence, end, { content: 'Done.', turns }, [event(fence, 0)]);
      const after = await stored(context, run.runId);
      assert.deepEqual([after.status, after.end, after.partial], ['succeeded', end, null]);
      assert.deepEqual([after.eventCount, after.lastCursor], [1, '1-0']);
      const messages = await conversations.read(owner, run.conversationId, { limit: 9 });
      assert.deepEqual(
        messages.map(({ role, content, runId }) => ({ role, content, runId })),
        [
          { role: 'user', content: 'Hello', runId: run.runId },
          { role: 'assistant', content: 'Done.', runId: run.runId },
        ],
      );
      assert.deepEqual(messages[1]?.turns, turns);
      assert.deepEqual(await auditOf(context, run.runId), ['run.ended']);
    },
  },
  {
    title: 'keeps why a run failed, and writes no message where there is none',
    async run(context) {
      const { run, fence } = await startRun(context);
      await context.store.runs.finish(fence, failed, null, []);
      const after = await stored(context, run.runId);
      assert.deepEqual([after.status, after.end], ['failed', failed]);
      const messages = await context.store.conversations.read(owner, run.conversationId, {
        limit: 9,
      });
      assert.equal(messages.length, 1);
    },
  },
  {
    title: 'ends a run once when 50 try at once',
    async run(context) {
      const { run, fence } = await startRun(context);
      const other = await context.reopen();
      const outcomes = await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).runs
          .finish(fence, ended, { content: 'Done.' }, [event(fence, index)])
          .then(
            () => 'ended',
            (reason: unknown) => (reason as { code?: string }).code,
          ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === 'ended').length, 1);
      assert.equal(outcomes.filter((outcome) => outcome === 'fenced').length, 49);
      assert.equal((await stored(context, run.runId)).eventCount, 1);
      const messages = await context.store.conversations.read(owner, run.conversationId, {
        limit: 9,
      });
      assert.equal(messages.length, 2);
    },
  },
  {
    title: 'frees the conversation for the next run',
    async run(context) {
      const { fence } = await startRun(context, { conversationId: 'c-1' });
      await context.store.runs.finish(fence, ended, null, []);
      await startRun(context, { conversationId: 'c-1' });
    },
  },
  {
    title: 'writes what a queued run was asked behind the answer of the run ahead',
    async run(context) {
      const { runs, conversations } = context.store;
      const { fence } = await startRun(context, { conversationId: 'c-1' });
      const next = newRun({
        conversationId: 'c-1',
        onBusy: 'queue',
        input: { kind: 'message', content: 'Next' },
      });
      await runs.create(next);
      const read = async () =>
        (await conversations.read(owner, 'c-1', { limit: 9 })).map(({ content }) => content);
      assert.equal((await read()).length, 1);
      await runs.finish(fence, ended, { content: 'Done.' }, []);
      assert.deepEqual((await read()).slice(1), ['Done.', 'Next']);
    },
  },
  {
    title: 'keeps an ended run over a restart',
    async run(context) {
      const { run, fence } = await startRun(context);
      await context.store.runs.finish(fence, ended, { content: 'Done.' }, [event(fence, 0)]);
      const reopened = await context.reopen();
      assert.deepEqual((await reopened.runs.load(run.runId, owner))?.end, ended);
      assert.equal((await reopened.runs.events(run.runId, 0, 9)).length, 1);
    },
  },
  {
    title: 'shows runs to their owner only, and lets nobody else act on them',
    async run(context) {
      const { runs, conversations, audit } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      const before = await stored(context, run.runId);
      for (const stranger of strangers) {
        assert.equal(await runs.load(run.runId, stranger), null);
        const cancel = await runs.requestCancel(run.runId, stranger);
        assert.deepEqual(cancel, { found: false, wake: [] });
        const steer = { steerId: 's-1', text: 'send it to me' };
        assert.equal(await runs.steer(run.runId, stranger, steer), 'not_found');
        assert.equal(await runs.answerInput(run.runId, stranger, 'i-1', 'x'), 'not_found');
        const window = { limit: 9 };
        assert.deepEqual(await conversations.read(stranger, run.conversationId, window), []);
        assert.deepEqual(await audit.read(stranger, run.runId), []);
      }
      assert.deepEqual(await stored(context, run.runId), before);
    },
  },
  {
    title: 'lets nobody answer the question that another was asked',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      const input = { requestId: 'i-1', callId: 'call-1', server: 'crm', message: 'Which?' };
      await runs.requestInput(fence, input, []);
      for (const stranger of strangers) {
        assert.equal(await runs.answerInput(run.runId, stranger, 'i-1', 'x'), 'not_found');
      }
      assert.equal((await stored(context, run.runId)).inputs[0]?.answeredAt, null);
    },
  },
  {
    title: 'deletes a conversation with its ended runs, and none that is busy',
    async run(context) {
      const { runs, conversations } = context.store;
      const request = { requestId: 'r-1', requestDigest: 'd-1', conversationId: 'c-1' };
      const { run, fence } = await startRun(context, request);
      assert.equal(await conversations.delete(owner, 'c-1'), 'busy');
      await runs.finish(fence, ended, { content: 'Done.' }, []);
      for (const stranger of strangers) {
        assert.equal(await conversations.delete(stranger, 'c-1'), 'not_found');
      }
      assert.equal(await conversations.delete(owner, 'c-1'), 'deleted');
      assert.equal(await runs.load(run.runId, owner), null);
      assert.deepEqual(await runs.events(run.runId, 0, 9), []);
      assert.equal((await runs.create(newRun(request))).kind, 'claimed');
    },
  },
];
