import assert from 'node:assert/strict';
import { atOnce } from './assertions.ts';
import {
  abandonedRun,
  callOf,
  claimBy,
  claimed,
  decisionOf,
  ended,
  event,
  long,
  newRun,
  owner,
  type RunStoreCase,
  startRun,
  stored,
  waitingRun,
  wokenBy,
} from './run-store-samples.ts';

const input = {
  requestId: 'i-1',
  callId: 'call-1',
  server: 'crm',
  message: 'Which account?',
  schema: { type: 'object' },
};

export const personCases: readonly RunStoreCase[] = [
  {
    title: 'records a question of a server once and takes one answer',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      await runs.requestInput(fence, input, [event(fence, 0)]);
      await runs.requestInput(fence, input, [event(fence, 1)]);
      const [asked, ...more] = (await stored(context, run.runId)).inputs;
      assert.deepEqual(more, []);
      const askedAt = asked?.askedAt ?? 0;
      assert.ok(askedAt >= run.createdAt);
      assert.deepEqual(asked, { ...input, askedAt, answer: null, answeredAt: null });
      await context.passTime(100);
      const answer = { account: ['a', null] };
      assert.equal(await runs.answerInput(run.runId, owner, 'i-1', answer), 'answered');
      assert.equal(await runs.answerInput(run.runId, owner, 'i-1', 'other'), 'already_decided');
      assert.equal(await runs.answerInput(run.runId, owner, 'i-2', 'other'), 'not_found');
      const [renewal] = await runs.renew([fence], long);
      assert.equal(renewal?.answerCount, 1);
      const { inputs, eventCount } = await stored(context, run.runId);
      const answeredAt = inputs[0]?.answeredAt ?? 0;
      assert.deepEqual(inputs, [{ ...asked, answer, answeredAt }]);
      assert.ok(answeredAt >= askedAt + 100);
      assert.equal(eventCount, 1);
    },
  },
  {
    title: 'takes one of 50 answers at once',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      await runs.requestInput(fence, input, []);
      const outcomes = await atOnce(50, (index) =>
        runs.answerInput(run.runId, owner, 'i-1', index),
      );
      assert.equal(outcomes.filter((outcome) => outcome === 'answered').length, 1);
      const [record] = (await stored(context, run.runId)).inputs;
      assert.equal(record?.answer, outcomes.indexOf('answered'));
    },
  },
  {
    title: 'keeps steers in order, once each, until the owner applied them',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      for (const [steerId, text] of [
        ['s-1', 'shorter'],
        ['s-2', 'in French'],
        ['s-1', 'again'],
      ] as const) {
        assert.equal(await runs.steer(run.runId, owner, { steerId, text }), 'ok');
      }
      assert.equal((await runs.renew([fence], long))[0]?.steerCount, 2);
      await runs.applySteers(fence, ['s-1'], 2, [event(fence, 0)]);
      await runs.applySteers(fence, ['s-1', 's-2'], 3, []);
      const after = await stored(context, run.runId);
      assert.deepEqual(after.steers, [
        { steerId: 's-1', text: 'shorter', turn: 2 },
        { steerId: 's-2', text: 'in French', turn: 3 },
      ]);
      assert.equal(after.eventCount, 1);
    },
  },
  {
    title: 'takes steers while a run waits or is queued, none after its end',
    async run(context) {
      const { runs } = context.store;
      const steer = { steerId: 's-1', text: 'hurry' };
      const waiting = await waitingRun(context, [callOf()]);
      assert.equal(await runs.steer(waiting.run.runId, owner, steer), 'ok');
      const { run, fence } = await startRun(context);
      await runs.finish(fence, ended, null, []);
      assert.equal(await runs.steer(run.runId, owner, steer), 'not_waiting');
      assert.equal(await runs.steer('run_unknown', owner, steer), 'not_found');
    },
  },
  {
    title: 'ends no run well whose owner does not know of a steer',
    async run(context) {
      const { runs, conversations } = context.store;
      const { run, fence } = await startRun(context);
      const steer = { steerId: 's-1', text: 'and in French' };
      assert.equal(await runs.steer(run.runId, owner, steer), 'ok');
      const finish = () => runs.finish(fence, ended, { content: 'Done.' }, [event(fence, 0)]);
      assert.equal(await finish(), 'steered');
      const before = await stored(context, run.runId);
      assert.deepEqual([before.status, before.end, before.eventCount], ['running', null, 0]);
      assert.equal((await conversations.read(owner, run.conversationId, { limit: 9 })).length, 1);
      await runs.applySteers(fence, ['s-1'], 2, []);
      assert.deepEqual(wokenBy(await finish()), []);
      assert.equal((await stored(context, run.runId)).status, 'succeeded');
    },
  },
  {
    title: 'ends a run that was steered, when it cannot answer any more',
    async run(context) {
      const { runs } = context.store;
      for (const status of ['partial', 'failed', 'cancelled'] as const) {
        const { run, fence } = await startRun(context);
        await runs.steer(run.runId, owner, { steerId: 's-1', text: 'and in French' });
        assert.deepEqual(wokenBy(await runs.finish(fence, { ...ended, status }, null, [])), []);
        assert.equal((await stored(context, run.runId)).status, status);
      }
    },
  },
  {
    title: 'uses or refuses each of 20 steers that come as a run ends',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      const applied = async () => {
        for (;;) {
          const outcome = await runs.finish(fence, ended, null, []);
          if (outcome !== 'steered') return 'ended';
          const { steers } = await stored(context, run.runId);
          const waiting = steers.filter(({ turn }) => turn === null);
          assert.notEqual(waiting.length, 0);
          const steerIds = waiting.map(({ steerId }) => steerId);
          await runs.applySteers(fence, steerIds, 2, []);
        }
      };
      const outcomes = await atOnce(20, (index) =>
        index === 10
          ? applied()
          : runs.steer(run.runId, owner, { steerId: `s-${index}`, text: 'more' }),
      );
      const { steers } = await stored(context, run.runId);
      const accepted = outcomes.filter((outcome) => outcome === 'ok').length;
      assert.deepEqual(
        steers.map(({ turn }) => turn),
        Array.from({ length: accepted }, () => 2),
      );
    },
  },
  {
    title: 'steers no run that takes no turns',
    async run(context) {
      const input = { kind: 'call', tool: 'add', args: {} } as const;
      const { run } = await startRun(context, { input });
      const steer = { steerId: 's-1', text: 'hurry' };
      assert.equal(await context.store.runs.steer(run.runId, owner, steer), 'not_waiting');
    },
  },
  {
    title: 'tells the owner of a running run to end',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      assert.deepEqual(await runs.requestCancel(run.runId, owner), { found: true, wake: [] });
      assert.equal((await stored(context, run.runId)).status, 'cancelling');
      assert.equal((await runs.renew([fence], long))[0]?.cancelRequested, true);
      await runs.append(fence, [event(fence, 0)]);
      await runs.finish(fence, { ...ended, status: 'cancelled' }, null, []);
      assert.equal((await stored(context, run.runId)).status, 'cancelled');
    },
  },
  {
    title:
      'wakes a waiting, a queued and an abandoned run that is cancelled, so that somebody ends it',
    async run(context) {
      const { runs } = context.store;
      const released = await startRun(context);
      await runs.release(released.fence);
      const all = [released, await waitingRun(context, [callOf()]), await abandonedRun(context)];
      for (const { run } of all) {
        const { found, wake } = await runs.requestCancel(run.runId, owner);
        assert.equal(found, true);
        assert.deepEqual(
          wake.map(({ runId }) => runId),
          [run.runId],
        );
        const claim = await claimed(context, run.runId);
        assert.deepEqual([claim.run.cancelRequested, claim.run.status], [true, 'cancelling']);
      }
    },
  },
  {
    title: 'declines what a cancelled run had asked',
    async run(context) {
      const { runs } = context.store;
      const call = callOf();
      const { run } = await waitingRun(context, [call]);
      await runs.requestCancel(run.runId, owner);
      const outcome = await runs.decide(decisionOf(run.runId, call));
      assert.equal('code' in outcome && outcome.code, 'already_decided');
      const [record] = (await stored(context, run.runId)).calls;
      assert.equal(record?.confirmation?.status, 'declined');
    },
  },
  {
    title: 'lets a cancelled run end at once that is queued behind another, and nobody overtake',
    async run(context) {
      const { runs } = context.store;
      const first = await startRun(context, { conversationId: 'c-1' });
      const second = newRun({ conversationId: 'c-1', onBusy: 'queue' });
      const third = newRun({ conversationId: 'c-1', onBusy: 'queue' });
      await runs.create(second);
      await runs.create(third);
      const outcome = await runs.requestCancel(second.runId, owner);
      assert.deepEqual(
        outcome.wake.map(({ runId }) => runId),
        [second.runId],
      );
      const { run, fence } = await claimed(context, second.runId);
      assert.deepEqual([run.cancelRequested, run.status], [true, 'cancelling']);
      assert.deepEqual(await runs.finish(fence, { ...ended, status: 'cancelled' }, null, []), []);
      assert.equal(await runs.claim(third.runId, claimBy('owner', long)), null);
      assert.deepEqual(wokenBy(await runs.finish(first.fence, ended, null, [])), [third.runId]);
    },
  },
  {
    title: 'wakes a cancelled run again that nobody has taken, when it is asked again to end',
    async run(context) {
      const { runs } = context.store;
      const { run } = await waitingRun(context, [callOf()]);
      const { wake } = await runs.requestCancel(run.runId, owner);
      assert.equal(wake.length, 1);
      assert.deepEqual((await runs.requestCancel(run.runId, owner)).wake, wake);
      await claimed(context, run.runId);
      assert.deepEqual((await runs.requestCancel(run.runId, owner)).wake, []);
    },
  },
  {
    title: 'does nothing with the cancel of an ended run, and finds none that is unknown',
    async run(context) {
      const { runs } = context.store;
      const { run, fence } = await startRun(context);
      await runs.finish(fence, ended, null, []);
      assert.deepEqual(await runs.requestCancel(run.runId, owner), { found: true, wake: [] });
      const after = await stored(context, run.runId);
      assert.deepEqual([after.status, after.cancelRequested], ['succeeded', false]);
      const unknown = await runs.requestCancel('run_unknown', owner);
      assert.deepEqual(unknown, { found: false, wake: [] });
    },
  },
];
