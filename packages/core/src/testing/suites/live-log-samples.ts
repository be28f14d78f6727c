import assert from 'node:assert/strict';
import type { LiveLog, LogKey, LogReader, LogWriter } from '../../events/live-log.ts';
import type { RunEvent } from '../../events/run-event.ts';
import { newId } from '../../internal/ids.ts';
import type { SuiteContext } from './suite.ts';

/** What a driver of this suite opens. */
export type LiveLogSubject = { readonly liveLog: LiveLog };

export function newKey(): LogKey {
  return { runId: newId('run'), incarnation: newId('incarnation') };
}

export function token({ runId }: LogKey, cursor: string, text = `text of ${cursor}`): RunEvent {
  return { type: 'token', runId, at: 1, cursor, turn: 1, text };
}

export function cancelled({ runId }: LogKey, cursor: string): RunEvent {
  return { type: 'cancelled', runId, at: 1, cursor, partialText: '' };
}

export function publish(writer: LogWriter, key: LogKey, cursors: readonly string[]): void {
  for (const cursor of cursors) writer.publish(token(key, cursor));
}

/** The cursors `<epoch>-0` to `<epoch>-<count - 1>`. */
export function cursorsOf(epoch: number, count: number): string[] {
  return Array.from({ length: count }, (_, k) => `${epoch}-${k}`);
}

/** A log of epoch 1 with so many events, sent. */
export async function written({ store }: SuiteContext<LiveLogSubject>, count: number) {
  const key = newKey();
  const writer = store.liveLog.open(key, 1);
  publish(writer, key, cursorsOf(1, count));
  await writer.close();
  return { key, cursors: cursorsOf(1, count) };
}

export async function readerOf(
  { liveLog }: LiveLogSubject,
  key: LogKey,
  after?: string,
): Promise<LogReader> {
  const reader = await liveLog.tail(key, after);
  assert.ok(reader, `the log should serve ${after ?? 'its beginning'}`);
  return reader;
}

/** Why a reader was woken that waits from now on. */
export function woken(reader: LogReader): Promise<'more' | 'lost'> {
  return new Promise((resolve) => reader.wait(resolve));
}

/** Reads on until `count` events have come. */
export async function collect(reader: LogReader, count: number, max = 64): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  while (events.length < count) {
    const taken = reader.take(Math.min(max, count - events.length));
    events.push(...taken);
    if (taken.length === 0) assert.equal(await woken(reader), 'more');
  }
  return events;
}

export async function cursorsFrom(reader: LogReader, count: number): Promise<string[]> {
  return (await collect(reader, count)).map(({ cursor }) => cursor);
}
