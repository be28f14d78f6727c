import assert from 'node:assert/strict';
import { newId } from '../../internal/ids.ts';
import { seededRandom } from '../random.ts';
import {
  cancelled,
  collect,
  cursorsFrom,
  cursorsOf,
  type LiveLogSubject,
  newKey,
  publish,
  readerOf,
  token,
  woken,
  written,
} from './live-log-samples.ts';
import { registerSuite, type SuiteCase, type SuiteDriver } from './suite.ts';

const unservable = [
  '',
  '1',
  '1-',
  '-1',
  '1-10',
  '2-0',
  '0-0',
  ' 1-1',
  '1-1 ',
  '1-1e0',
  '01-1',
  '1--1',
  'x-y',
  '1-1-1',
  `1-${'9'.repeat(400)}`,
];

const writingCases: readonly SuiteCase<LiveLogSubject>[] = [
  {
    title: 'gives a reader every event from the first one, in order and unchanged',
    async run(context) {
      const key = newKey();
      const writer = context.store.liveLog.open(key, 1);
      const texts = [
        '\u{1F469}\u200D\u{1F4BB}',
        '\u0645\u202Ex',
        '',
        '"\\\r\n\u2028',
        'x'.repeat(1024 * 1024),
      ];
      const events = texts.map((text, k) => token(key, `1-${k}`, text));
      for (const event of events) writer.publish(event);
      await writer.close();
      const reader = await readerOf(context.store, key);
      assert.deepEqual(await collect(reader, events.length), events);
      assert.deepEqual(reader.take(10), []);
    },
  },
  {
    title: 'ignores a writer of an epoch that was replaced',
    async run(context) {
      const key = newKey();
      const old = context.store.liveLog.open(key, 1);
      publish(old, key, ['1-0']);
      await old.close();
      const heir = context.store.liveLog.open(key, 2);
      publish(heir, key, ['2-0']);
      await heir.close();
      publish(old, key, ['1-1', '1-2']);
      await old.close();
      const late = (await context.reopen()).liveLog.open(key, 1);
      publish(late, key, ['1-3']);
      await late.close();
      publish(heir, key, ['2-1']);
      await heir.close();
      const reader = await readerOf(context.store, key);
      assert.deepEqual(await cursorsFrom(reader, 3), ['1-0', '2-0', '2-1']);
      assert.deepEqual(reader.take(10), []);
    },
  },
  {
    title: 'never throws at the writer, also after it or the log was closed',
    async run(context) {
      const key = newKey();
      const writer = context.store.liveLog.open(key, 1);
      publish(writer, key, ['1-0']);
      await writer.close();
      await writer.close();
      publish(writer, key, ['1-1']);
      await context.store.liveLog.close();
      publish(writer, key, ['1-2']);
      await writer.close();
    },
  },
  {
    title: 'keeps the logs of runs and of their incarnations apart',
    async run(context) {
      const { key } = await written(context, 2);
      const { key: other } = await written(context, 3);
      const incarnation = newId('incarnation');
      const again = context.store.liveLog.open({ ...key, incarnation }, 1);
      again.publish(token(key, '1-0', 'of another life'));
      await again.close();
      assert.equal((await collect(await readerOf(context.store, key), 2)).length, 2);
      assert.equal((await collect(await readerOf(context.store, other), 3)).length, 3);
      const reader = await readerOf(context.store, { ...key, incarnation });
      const [event] = await collect(reader, 1);
      assert.equal(event?.type === 'token' && event.text, 'of another life');
      assert.deepEqual(reader.take(10), []);
    },
  },
];

const readingCases: readonly SuiteCase<LiveLogSubject>[] = [
  {
    title: 'gives the events after any cursor it has',
    async run(context) {
      const { key, cursors } = await written(context, 10);
      for (const [index, cursor] of cursors.entries()) {
        const reader = await readerOf(context.store, key, cursor);
        const rest = cursors.slice(index + 1);
        assert.deepEqual(await cursorsFrom(reader, rest.length), rest);
        assert.deepEqual(reader.take(10), []);
        reader.close();
      }
    },
  },
  {
    title: 'serves no cursor that it cannot place, and no run that it does not have',
    async run(context) {
      const { key } = await written(context, 10);
      for (const cursor of unservable) {
        assert.equal(await context.store.liveLog.tail(key, cursor), undefined, `cursor ${cursor}`);
      }
      assert.equal(await context.store.liveLog.tail(newKey()), undefined);
      assert.equal(await context.store.liveLog.tail({ ...key, incarnation: 'other' }), undefined);
    },
  },
  {
    title: 'takes no more than asked for and does not wait',
    async run(context) {
      const { key, cursors } = await written(context, 5);
      const reader = await readerOf(context.store, key);
      assert.equal(await woken(reader), 'more');
      const first = reader.take(2);
      assert.ok(first.length <= 2);
      const rest = await cursorsFrom(reader, 5 - first.length);
      assert.deepEqual([...first.map(({ cursor }) => cursor), ...rest], cursors);
      assert.deepEqual(reader.take(1), []);
    },
  },
  {
    title: 'wakes every waiting reader with what is published later',
    async run(context) {
      const { key } = await written(context, 1);
      const replica = await context.reopen();
      const readers = await Promise.all([
        readerOf(context.store, key, '1-0'),
        readerOf(context.store, key, '1-0'),
        readerOf(replica, key, '1-0'),
      ]);
      const waits = readers.map((reader) => woken(reader));
      const writer = context.store.liveLog.open(key, 1);
      publish(writer, key, ['1-1', '1-2']);
      assert.deepEqual(await Promise.all(waits), ['more', 'more', 'more']);
      for (const reader of readers) {
        assert.deepEqual(await cursorsFrom(reader, 2), ['1-1', '1-2']);
      }
      await writer.close();
    },
  },
  {
    title: 'leads a reader over to the next owner, and serves cursors of the owner before',
    async run(context) {
      const { key } = await written(context, 3);
      const reader = await readerOf(context.store, key);
      await collect(reader, 3);
      const waiting = woken(reader);
      const heir = (await context.reopen()).liveLog.open(key, 2);
      publish(heir, key, cursorsOf(2, 2));
      await heir.close();
      assert.equal(await waiting, 'more');
      assert.deepEqual(await cursorsFrom(reader, 2), ['2-0', '2-1']);
      const resumed = await readerOf(context.store, key, '1-1');
      assert.deepEqual(await cursorsFrom(resumed, 3), ['1-2', '2-0', '2-1']);
    },
  },
  {
    title: 'replays a finished run in full',
    async run(context) {
      const key = newKey();
      const writer = context.store.liveLog.open(key, 1);
      publish(writer, key, cursorsOf(1, 100));
      writer.publish(cancelled(key, '1-100'));
      await writer.close();
      const reader = await readerOf(context.store, key);
      assert.deepEqual(await cursorsFrom(reader, 101), cursorsOf(1, 101));
      const resumed = await readerOf(await context.reopen(), key, '1-99');
      assert.deepEqual(await cursorsFrom(resumed, 1), ['1-100']);
    },
  },
  {
    title: 'gives a reader that is cut and resumes again and again each of 5,000 events once',
    async run(context) {
      const key = newKey();
      const writer = context.store.liveLog.open(key, 1);
      const random = seededRandom(7);
      const seen: string[] = [];
      for (let next = 0; next < 5_000; next += 500) {
        publish(writer, key, cursorsOf(1, next + 500).slice(next));
        await writer.close();
        while (seen.length < next + 500) {
          const reader = await readerOf(context.store, key, seen.at(-1));
          const count = Math.min(random.integer(1, 100), next + 500 - seen.length);
          seen.push(...(await cursorsFrom(reader, count)));
          reader.close();
        }
      }
      assert.deepEqual(seen, cursorsOf(1, 5_000));
    },
  },
];

const endingCases: readonly SuiteCase<LiveLogSubject>[] = [
  {
    title: 'wakes no reader that is closed, and every other one',
    async run(context) {
      const { key } = await written(context, 1);
      const left = await readerOf(context.store, key, '1-0');
      let wakes = 0;
      left.wait(() => {
        wakes += 1;
      });
      const other = woken(await readerOf(context.store, key, '1-0'));
      left.close();
      left.close();
      assert.deepEqual(left.take(10), []);
      const writer = context.store.liveLog.open(key, 1);
      publish(writer, key, ['1-1']);
      assert.equal(await other, 'more');
      await writer.close();
      assert.equal(wakes, 0);
    },
  },
  {
    title: 'wakes a reader once, which may wait again while it is being woken',
    async run(context) {
      const { key } = await written(context, 1);
      const reader = await readerOf(context.store, key, '1-0');
      const all = cursorsOf(1, 6);
      const seen = ['1-0'];
      const isDone = Promise.withResolvers<void>();
      const readOn = () => {
        seen.push(...reader.take(64).map(({ cursor }) => cursor));
        if (seen.length < all.length) reader.wait(readOn);
        else isDone.resolve();
      };
      reader.wait(readOn);
      const writer = context.store.liveLog.open(key, 1);
      for (const cursor of all.slice(1)) {
        publish(writer, key, [cursor]);
        await writer.close();
      }
      await isDone.promise;
      assert.deepEqual(seen, all);
    },
  },
  {
    title: 'wakes every reader as lost when the log is closed',
    async run(context) {
      const { key } = await written(context, 1);
      const reader = await readerOf(context.store, key, '1-0');
      const waiting = woken(reader);
      await context.store.liveLog.close();
      assert.equal(await waiting, 'lost');
      assert.deepEqual(reader.take(10), []);
    },
  },
];

/** Everything that a LiveLog promises. */
export const liveLogCases: readonly SuiteCase<LiveLogSubject>[] = [
  ...writingCases,
  ...readingCases,
  ...endingCases,
];

/**
 * Registers the conformance tests of a `LiveLog` with vitest. Call and await it at the top of a test file of your
 * implementation. The suite waits for events, so a driver may send them in batches.
 *
 * @example
 * ```ts
 * import { inProcessStores } from '@steward/core';
 * import { fakeClock, testLiveLog } from '@steward/core/testing';
 *
 * const clock = fakeClock();
 * await testLiveLog('inProcessStores().liveLog', {
 *   open: async () => inProcessStores({ clock }),
 *   reopen: async (stores) => ({ ...stores }),
 *   passTime: (ms) => clock.advance(ms),
 *   close: (stores) => stores.close(),
 * });
 * ```
 */
export async function testLiveLog<S extends LiveLogSubject>(
  name: string,
  driver: SuiteDriver<S>,
): Promise<void> {
  await registerSuite(`${name} is a LiveLog`, liveLogCases, driver);
}
