import assert from 'node:assert/strict';
import type { ConversationMessage } from '../../events/conversation-message.ts';
import type { Fence, HistoryWindow, NewRun } from '../../stores/run-store.ts';
import {
  beginBy,
  claimBy,
  claimed,
  ended,
  event,
  long,
  longer,
  newRun,
  owner,
  type RunStoreCase,
  type RunStoreSubject,
  short,
  startRun,
  stored,
  strangers,
} from './run-store-samples.ts';
import type { SuiteContext } from './suite.ts';

type Context = SuiteContext<RunStoreSubject>;

const conversation = { conversationId: 'c-1' } as const;
const all: HistoryWindow = { messages: 1_000, bytes: 1_000_000 };

/** What a new run of the conversation is told of it. */
async function historyOf(
  { store }: Context,
  history: HistoryWindow,
  changes: Partial<NewRun> = {},
) {
  const claim = { ...beginBy('process-1', long), history };
  const outcome = await store.runs.create(newRun({ ...conversation, claim, ...changes }));
  assert.ok(outcome.kind === 'claimed');
  await finish(store, { runId: outcome.run.runId, epoch: 1 }, null);
  return outcome.history;
}

const finish = ({ runs }: RunStoreSubject, fence: Fence, answer: string | null) =>
  runs.finish(fence, ended, answer === null ? null : { content: answer }, []);

/** A question and its answer. */
async function exchange(context: Context, question: string, answer: string): Promise<void> {
  const { fence } = await startRun(context, {
    ...conversation,
    input: { kind: 'message', content: question },
  });
  await finish(context.store, fence, answer);
}

const contents = (messages: readonly ConversationMessage[]) =>
  messages.map(({ content }) => content);

export const historyCases: readonly RunStoreCase[] = [
  {
    title: 'tells a new run what was said before, oldest first, without its own question',
    async run(context) {
      const { conversations } = context.store;
      const first = await startRun(context, conversation);
      const turns = [{ role: 'assistant' as const, content: 'one' }];
      await context.store.runs.finish(first.fence, ended, { content: 'one', turns }, []);
      await exchange(context, 'Two?', 'two');
      const before = await conversations.read(owner, 'c-1', { limit: 9 });
      assert.deepEqual(contents(before), ['Hello', 'one', 'Two?', 'two']);
      assert.deepEqual(before[1]?.turns, turns);
      assert.deepEqual(await historyOf(context, all), before);
    },
  },
  {
    title: 'tells the newest messages, as many as are asked for',
    async run(context) {
      await exchange(context, 'One?', 'one');
      await exchange(context, 'Two?', 'two');
      const asked = [0, 1, 3].map((messages) => ({ ...all, messages }));
      const told = [];
      for (const window of asked) told.push(contents(await historyOf(context, window)));
      assert.deepEqual(told, [[], ['Hello'], ['two', 'Hello', 'Hello']]);
      const input = { kind: 'call', tool: 'add', args: {} } as const;
      assert.equal((await historyOf(context, { ...all, messages: 1 }, { input })).length, 1);
    },
  },
  {
    title: 'ends what it tells before the first message that is too large, in bytes of its JSON',
    async run(context) {
      await exchange(context, 'One?', 'x'.repeat(100_000));
      await exchange(context, 'Two?', 'zwölf');
      // A question of 6 bytes, an answer of 8, and what is asked here: 7 bytes each. The answer before has 100,002.
      const told = async (bytes: number) => contents(await historyOf(context, { ...all, bytes }));
      assert.deepEqual(await told(14), ['Two?', 'zwölf']);
      assert.deepEqual(await told(20), ['zwölf', 'Hello']);
      assert.deepEqual(await told(27), ['zwölf', 'Hello', 'Hello']);
      assert.equal((await told(100_036)).length, 5);
      assert.equal((await told(100_044)).length, 7);
    },
  },
  {
    title: 'counts the turns of an answer to its size',
    async run(context) {
      const { fence } = await startRun(context, conversation);
      const turns = [{ role: 'assistant' as const, content: 'x'.repeat(1_000) }];
      await context.store.runs.finish(fence, ended, { content: 'one', turns }, []);
      assert.deepEqual(await historyOf(context, { ...all, bytes: 1_000 }), []);
    },
  },
  {
    title: 'tells a queued run the answer ahead of it, and the next owner the same',
    async run(context) {
      const first = await startRun(context, conversation);
      const second = newRun({ ...conversation, onBusy: 'queue' });
      await context.store.runs.create(second);
      await finish(context.store, first.fence, 'one');
      const claim = await context.store.runs.claim(second.runId, claimBy('lost', short));
      assert.deepEqual(contents(claim?.history ?? []), ['Hello', 'one']);
      await context.passTime(longer);
      const heir = await claimed(context, second.runId);
      assert.deepEqual(heir.history, claim?.history);
    },
  },
  {
    title: 'tells nobody of a conversation of others under the same id',
    async run(context) {
      await exchange(context, 'One?', 'one');
      for (const stranger of strangers) {
        const outcome = await context.store.runs.create(newRun({ ...conversation, ...stranger }));
        assert.deepEqual('history' in outcome && outcome.history, []);
      }
    },
  },
  {
    title: 'stores what a run begins with where it is claimed at once, and not where it queues',
    async run(context) {
      const { runs } = context.store;
      const asked = newRun(conversation);
      const fence = { runId: asked.runId, epoch: 1 };
      const events = [event(fence, 0), event(fence, 1)];
      const outcome = await runs.create({ ...asked, claim: beginBy('process-1', long, events) });
      assert.ok('run' in outcome);
      assert.deepEqual([outcome.run.eventCount, outcome.run.lastCursor], [2, '1-1']);
      assert.deepEqual(await stored(context, asked.runId), outcome.run);
      await runs.append(fence, [event(fence, 2)]);
      assert.deepEqual(
        await runs.events(asked.runId, 0, 9),
        [...events, event(fence, 2)].map((one, index) => ({ n: index + 1, event: one })),
      );
      const queued = newRun({ ...conversation, onBusy: 'queue' });
      await runs.create({ ...queued, claim: beginBy('process-1', long, events) });
      assert.deepEqual(await runs.events(queued.runId, 0, 9), []);
      assert.equal((await stored(context, queued.runId)).lastCursor, null);
    },
  },
];
