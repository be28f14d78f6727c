import assert from 'node:assert/strict';
import type { ConversationStore } from '../../stores/conversation-store.ts';
import type { Owner } from '../../stores/run-store.ts';
import { atOnce } from './assertions.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

/** What a driver of this suite opens. */
export type ConversationStoreSubject = { readonly conversations: ConversationStore };

const owner: Owner = { tenantId: 'tenant-1', userId: 'user-1' };
const strangers: readonly Owner[] = [
  { tenantId: 'tenant-1', userId: 'user-2' },
  { tenantId: 'tenant-2', userId: 'user-1' },
];

function message(messageId: string, content = `text of ${messageId}`) {
  return { messageId, runId: 'imported', role: 'user' as const, content };
}

async function fill(
  { conversations }: ConversationStoreSubject,
  conversationId: string,
  ids: readonly string[],
) {
  for (const id of ids) await conversations.append(owner, conversationId, message(id));
}

async function idsOf(
  { conversations }: ConversationStoreSubject,
  conversationId: string,
  window: { limit: number; before?: string },
): Promise<string[]> {
  const messages = await conversations.read(owner, conversationId, window);
  return messages.map(({ messageId }) => messageId);
}

/** Everything that a ConversationStore promises on its own; what runs write to it is in the cases of the RunStore. */
export const conversationStoreCases: readonly SuiteCase<ConversationStoreSubject>[] = [
  {
    title: 'returns nothing of a conversation that does not exist',
    async run({ store }) {
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 5 }), []);
      assert.deepEqual(await store.conversations.list(owner, { limit: 5 }), []);
    },
  },
  {
    title: 'returns the newest messages, the oldest of them first, and pages back from there',
    async run({ store }) {
      await fill(store, 'c-1', ['m-1', 'm-2', 'm-3', 'm-4', 'm-5']);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 2 }), ['m-4', 'm-5']);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 2, before: 'm-4' }), ['m-2', 'm-3']);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 2, before: 'm-2' }), ['m-1']);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 2, before: 'm-1' }), []);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 2, before: 'unknown' }), []);
    },
  },
  {
    title: 'keeps messages as they are, up to 1 MiB, with the time of the store',
    async run({ store }) {
      const kept = {
        messageId: 'm-1',
        runId: 'imported',
        role: 'assistant' as const,
        content: [
          {
            type: 'text' as const,
            text: '\u{1F469}\u200D\u{1F4BB} \u0645\u0631\u062D\u0628\u0627',
          },
          { type: 'text' as const, text: 'x'.repeat(1024 * 1024) },
        ],
        turns: [{ role: 'assistant' as const, content: 'e\u0301' }],
      };
      await store.conversations.append(owner, 'c-1', kept);
      const [read] = await store.conversations.read(owner, 'c-1', { limit: 1 });
      assert.ok(read);
      const { at, ...rest } = read;
      assert.ok(Number.isSafeInteger(at) && at > 0);
      assert.deepEqual(rest, kept);
    },
  },
  {
    title: 'appends a message once',
    async run({ store }) {
      await fill(store, 'c-1', ['m-1', 'm-2', 'm-1']);
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 5 }), ['m-1', 'm-2']);
    },
  },
  {
    title: 'loses no message of 50 that are appended at once',
    async run(context) {
      const other = await context.reopen();
      await atOnce(50, (index) =>
        (index % 2 === 0 ? context.store : other).conversations.append(
          owner,
          'c-1',
          message(`m-${index}`),
        ),
      );
      const ids = await idsOf(context.store, 'c-1', { limit: 100 });
      assert.equal(new Set(ids).size, 50);
    },
  },
  {
    title: 'lists conversations, the last one written to first, in pages',
    async run({ store, passTime }) {
      const written = [
        ['c-1', 'm-1'],
        ['c-2', 'm-2'],
        ['c-3', 'm-3'],
        ['c-1', 'm-4'],
      ] as const;
      for (const [conversationId, messageId] of written) {
        await fill(store, conversationId, [messageId]);
        await passTime(5);
      }
      const { conversations } = store;
      const first = await conversations.list(owner, { limit: 2 });
      assert.deepEqual(
        first.map(({ conversationId, messageCount }) => [conversationId, messageCount]),
        [
          ['c-1', 2],
          ['c-3', 1],
        ],
      );
      assert.ok((first[0]?.updatedAt ?? 0) > (first[0]?.createdAt ?? 0));
      const rest = await conversations.list(owner, { limit: 2, before: 'c-3' });
      assert.deepEqual(
        rest.map(({ conversationId }) => conversationId),
        ['c-2'],
      );
      assert.deepEqual(await conversations.list(owner, { limit: 2, before: 'c-2' }), []);
    },
  },
  {
    title: 'shows and deletes conversations for their owner only',
    async run({ store }) {
      await fill(store, 'c-1', ['m-1']);
      for (const stranger of strangers) {
        const { conversations } = store;
        assert.deepEqual(await conversations.read(stranger, 'c-1', { limit: 5 }), []);
        assert.deepEqual(await conversations.list(stranger, { limit: 5 }), []);
        assert.equal(await conversations.delete(stranger, 'c-1'), 'not_found');
        await conversations.append(stranger, 'c-1', message('m-1', 'mine'));
      }
      const [kept] = await store.conversations.read(owner, 'c-1', { limit: 5 });
      assert.equal(kept?.content, 'text of m-1');
    },
  },
  {
    title: 'deletes a conversation, twice without an error',
    async run({ store }) {
      await fill(store, 'c-1', ['m-1']);
      await fill(store, 'c-2', ['m-2']);
      assert.equal(await store.conversations.delete(owner, 'c-1'), 'deleted');
      assert.equal(await store.conversations.delete(owner, 'c-1'), 'not_found');
      assert.deepEqual(await idsOf(store, 'c-1', { limit: 5 }), []);
      assert.deepEqual(await idsOf(store, 'c-2', { limit: 5 }), ['m-2']);
    },
  },
  {
    title: 'keeps messages over a restart',
    async run(context) {
      await fill(context.store, 'c-1', ['m-1']);
      assert.deepEqual(await idsOf(await context.reopen(), 'c-1', { limit: 5 }), ['m-1']);
    },
  },
];

/**
 * Registers the conformance tests of a {@link ConversationStore} with vitest. Call and await it at the top of a test file
 * of your implementation.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testConversationStore } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testConversationStore('inProcessStores().conversations', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testConversationStore<S extends ConversationStoreSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a ConversationStore`, conversationStoreCases, driver);
}
