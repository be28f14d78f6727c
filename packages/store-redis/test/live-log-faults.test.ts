import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { LiveLog, LogKey, LogReader, RunEvent } from '@steward/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { woken } from '../../core/src/testing/suites/live-log-samples.ts';
import { type RedisStoresOptions, redisStores } from '../src/index.ts';
import { eventually, privateCluster, privateRedis } from './private-redis.ts';
import { read } from './read-log.ts';
import { hasRedis, newPrefix, redisUrl } from './test-redis.ts';

const key = (runId = 'run-1'): LogKey => ({ runId, incarnation: 'life-1' });

function token(cursor: string, { runId }: LogKey = key(), text = cursor): RunEvent {
  return { type: 'token', runId, at: 1, cursor, turn: 1, text };
}

function cancelled(cursor: string): RunEvent {
  return { type: 'cancelled', runId: 'run-1', at: 1, cursor, partialText: '' };
}

const cursorsOf = (epoch: number, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${epoch}-${from + index}`);

async function open(options: RedisStoresOptions): Promise<LiveLog> {
  const stores = await redisStores(options);
  onTestFinished(() => stores.close());
  return stores.liveLog;
}

async function readerOf(log: LiveLog, after?: string, of = key()): Promise<LogReader> {
  const reader = await log.tail(of, after);
  if (reader === undefined) throw new Error(`nothing after ${after}`);
  return reader;
}

describe.runIf(hasRedis)('a live log whose Redis fails', () => {
  it('F17: goes on after a kill -9 in the middle of a stream, every event once', async () => {
    const server = await privateRedis('--appendonly', 'yes');
    const log = await open({ url: server.url });
    const reader = await readerOfNew(log);
    const writer = log.open(key(), 1);
    const seen = read(reader, 300);
    for (const cursor of cursorsOf(1, 100)) writer.publish(token(cursor));
    await writer.close();
    await server.crash();
    for (const cursor of cursorsOf(1, 100, 100)) writer.publish(token(cursor));
    await server.start();
    for (const cursor of cursorsOf(1, 100, 200)) writer.publish(token(cursor));
    expect(await seen).toEqual(cursorsOf(1, 300));
  });

  it('fills a stream up again that was flushed away while it is written', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const reader = await readerOfNew(log);
    const writer = log.open(key(), 1);
    for (const cursor of cursorsOf(1, 50)) writer.publish(token(cursor));
    expect(await read(reader, 50)).toEqual(cursorsOf(1, 50));
    await server.admin.flushall();
    for (const cursor of cursorsOf(1, 50, 50)) writer.publish(token(cursor));
    expect(await read(reader, 50)).toEqual(cursorsOf(1, 50, 50));
    const late = await readerOf(await open({ url: server.url }));
    expect(await read(late, 100)).toEqual(cursorsOf(1, 100));
  });

  it('says lost to a reader when what it needs was flushed and its writer is gone', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const dead = await open({ url: server.url });
    const first = dead.open(key(), 1);
    for (const cursor of cursorsOf(1, 50)) first.publish(token(cursor));
    await first.close();
    const reader = await readerOf(log, '1-9');
    expect(await read(reader, 40)).toEqual(cursorsOf(1, 40, 10));
    await server.admin.flushall();
    const heir = dead.open(key(), 2);
    heir.publish(token('2-0'));
    expect(await read(reader, 1)).toEqual(['lost']);
    expect(await log.tail(key())).toBeUndefined();
    const after = await readerOf(log, '2-0');
    heir.publish(token('2-1'));
    expect(await read(after, 1)).toEqual(['2-1']);
  });

  it('marks what was written in vain while Redis was away for too long', async () => {
    const server = await privateRedis('--appendonly', 'yes');
    const log = await open({ url: server.url, streamEvents: 10 });
    const writer = log.open(key(), 1);
    for (const cursor of cursorsOf(1, 5)) writer.publish(token(cursor));
    await writer.close();
    const reader = await readerOf(log, '1-4');
    await server.crash();
    for (const cursor of cursorsOf(1, 100, 5)) writer.publish(token(cursor));
    await server.start();
    expect(await read(reader, 1)).toEqual(['lost']);
    await eventually('the newest events are there', async () => {
      const newest = await log.tail(key(), '1-103');
      newest?.close();
      return newest !== undefined;
    });
    expect(await log.tail(key(), '1-4')).toBeUndefined();
    expect(await read(await readerOf(log, '1-103'), 1)).toEqual(['1-104']);
  });

  it('serves nobody while Redis is away, and does not wait for it', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const writer = log.open(key(), 1);
    writer.publish(token('1-0'));
    await writer.close();
    await server.crash();
    expect(await log.tail(key())).toBeUndefined();
    writer.publish(token('1-1'));
    const start = performance.now();
    await writer.close();
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('survives a Redis that hangs', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const writer = log.open(key(), 1);
    writer.publish(token('1-0'));
    await writer.close();
    const reader = await readerOf(log, '1-0');
    server.signal('SIGSTOP');
    for (const cursor of cursorsOf(1, 20, 1)) writer.publish(token(cursor));
    expect(await log.tail(key('run-2'), '1-0')).toBeUndefined();
    server.signal('SIGCONT');
    expect(await read(reader, 20)).toEqual(cursorsOf(1, 20, 1));
  });

  it('F20: keeps what does not fit into a full Redis, and sends it once there is room', async () => {
    const server = await privateRedis('--maxmemory-policy', 'noeviction');
    const log = await open({ url: server.url });
    const writer = log.open(key(), 1);
    writer.publish(token('1-0'));
    await writer.close();
    const reader = await readerOf(log, '1-0');
    await server.admin.config('SET', 'maxmemory', '1');
    for (const cursor of cursorsOf(1, 20, 1)) writer.publish(token(cursor));
    await writer.close();
    expect(reader.take(10)).toEqual([]);
    await server.admin.config('SET', 'maxmemory', '0');
    expect(await read(reader, 20)).toEqual(cursorsOf(1, 20, 1));
  });

  it('forgets a stream some time after the end of its run', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url, replayMs: 50 });
    const writer = log.open(key(), 1);
    writer.publish(token('1-0'));
    await writer.close();
    const [name] = await server.admin.keys('*:log:*');
    expect(await server.admin.pttl(name ?? '')).toBeGreaterThan(60_000);
    writer.publish(cancelled('1-1'));
    await writer.close();
    await eventually('it is gone', async () => (await server.admin.exists(name ?? '')) === 0);
    expect(await log.tail(key())).toBeUndefined();
  });
});

/** A reader that is there before the first event: of a run that begins in this process. */
async function readerOfNew(log: LiveLog): Promise<LogReader> {
  log.open(key(), 1);
  return readerOf(log);
}

describe.runIf(hasRedis)('a live log that many read', () => {
  it('reads for 500 readers of 50 runs with one connection', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const runs = Array.from({ length: 50 }, (_, index) => key(`run-${index}`));
    const writers = runs.map((run) => log.open(run, 1));
    const readers = await Promise.all(
      Array.from({ length: 500 }, (_, index) => readerOf(log, undefined, runs[index % 50])),
    );
    for (const cursor of cursorsOf(1, 20)) {
      for (const [index, writer] of writers.entries()) writer.publish(token(cursor, runs[index]));
    }
    const all = await Promise.all(readers.map((reader) => read(reader, 20)));
    expect(all).toEqual(readers.map(() => cursorsOf(1, 20)));
    // The test's own, one for commands and one that waits.
    expect(
      String(await server.admin.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(3);
  });

  it('shows the same run to another process, from any place', async () => {
    const prefix = newPrefix();
    const child = fork(new URL('./writing-process.ts', import.meta.url), [redisUrl, prefix], {
      execArgv: ['--conditions=@steward/source'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'message');
    const log = await open({ url: redisUrl, prefix });
    const [one, two] = [await readerOf(log, '1-0'), await readerOf(log)];
    child.send('go on');
    expect(await read(one, 200)).toEqual(cursorsOf(1, 200, 1));
    expect(await read(two, 201)).toEqual(cursorsOf(1, 201));
  });

  it('shows a run to others from before its first event', async () => {
    const server = await privateRedis();
    const writer = (await open({ url: server.url })).open(key(), 1);
    const log = await open({ url: server.url });
    await eventually('there is a stream', async () => (await server.admin.dbsize()) === 1);
    const reader = await readerOf(log);
    writer.publish(token('1-0'));
    expect(await read(reader, 1)).toEqual(['1-0']);
    expect(await log.tail(key('run-2'))).toBeUndefined();
  });

  it('gives a long run from its start to who comes while others read its end', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const writer = (await open({ url: server.url })).open(key(), 1);
    for (const cursor of cursorsOf(1, 3_500)) writer.publish(token(cursor));
    await writer.close();
    const late = await readerOf(log, '1-3400');
    expect(await read(late, 99)).toEqual(cursorsOf(1, 99, 3_401));
    expect(await read(await readerOf(log), 3_500)).toEqual(cursorsOf(1, 3_500));
    expect(await read(await readerOf(log, '1-999'), 2_500)).toEqual(cursorsOf(1, 2_500, 1_000));
    writer.publish(token('1-3500'));
    expect(await read(late, 1)).toEqual(['1-3500']);
  });

  it('takes what an earlier owner stored and could not show from the next one, in its place', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const dead = log.open(key(), 1);
    for (const cursor of cursorsOf(1, 3)) dead.publish(token(cursor));
    await dead.close();
    const reader = await readerOf(log);
    const heir = (await open({ url: server.url })).open(key(), 2);
    for (const cursor of ['1-3', '1-4', '2-0', '2-1']) heir.publish(token(cursor));
    await heir.close();
    dead.publish(token('1-5'));
    await dead.close();
    expect(await read(reader, 7)).toEqual([...cursorsOf(1, 5), '2-0', '2-1']);
  });

  it('takes all that an owner stored from the next one when that owner died before it showed anything', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    log.open(key(), 1);
    await eventually('the stream is there', async () => (await log.tail(key())) !== undefined);
    const reader = await readerOf(log);
    const heir = (await open({ url: server.url })).open(key(), 2);
    for (const cursor of ['1-0', '2-0', '2-1']) heir.publish(token(cursor));
    await heir.close();
    expect(await read(reader, 3)).toEqual(['1-0', '2-0', '2-1']);
    expect(await read(await readerOf(await open({ url: server.url })), 3)).toEqual([
      '1-0',
      '2-0',
      '2-1',
    ]);
  });

  it('does not take the words of a later owner for the beginning', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    log.open(key(), 1);
    await eventually('the stream is there', async () => (await log.tail(key())) !== undefined);
    const reader = await readerOf(log);
    const heir = (await open({ url: server.url })).open(key(), 2);
    heir.publish(token('2-0'));
    await heir.close();
    expect(await read(reader, 1)).toEqual(['lost']);
    expect(await (await open({ url: server.url })).tail(key())).toBeUndefined();
  });

  it('says lost where the next owner could not show what was stored', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const dead = log.open(key(), 1);
    for (const cursor of cursorsOf(1, 3)) dead.publish(token(cursor));
    await dead.close();
    const reader = await readerOf(log);
    const replica = await open({ url: server.url });
    const heir = replica.open(key(), 2, '1-3');
    for (const cursor of ['2-0', '2-1']) heir.publish(token(cursor));
    await heir.close();
    expect(await read(reader, 4)).toEqual([...cursorsOf(1, 3), 'lost']);
    expect(await replica.tail(key(), '1-2')).toBeUndefined();
    expect(await read(await readerOf(replica, '2-0'), 1)).toEqual(['2-1']);
    const next = replica.open(key(), 3, '2-1');
    next.publish(token('3-0'));
    await next.close();
    expect(await read(await readerOf(replica, '2-0'), 2)).toEqual(['2-1', '3-0']);
  });

  it('says lost where an owner died with events that it had not sent', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url });
    const dead = log.open(key(), 1);
    for (const cursor of cursorsOf(1, 3)) dead.publish(token(cursor));
    await dead.close();
    const reader = await readerOf(log);
    const heir = (await open({ url: server.url })).open(key(), 2);
    for (const cursor of ['1-5', '2-0', '2-1']) heir.publish(token(cursor));
    await heir.close();
    expect(await read(reader, 4)).toEqual([...cursorsOf(1, 3), 'lost']);
    expect(await log.tail(key(), '1-2')).toBeUndefined();
    expect(await read(await readerOf(log, '1-5'), 2)).toEqual(['2-0', '2-1']);
  });

  it('gives up a reader that falls too far behind, and keeps no queue for it', async () => {
    const server = await privateRedis();
    const log = await open({ url: server.url, streamEvents: 10 });
    const writer = log.open(key(), 1);
    writer.publish(token('1-0'));
    await writer.close();
    const [slow, quick] = [await readerOf(log, '1-0'), await readerOf(log, '1-0')];
    for (let k = 1; k < 100; k++) {
      writer.publish(token(`1-${k}`));
      expect(await read(quick, 1)).toEqual([`1-${k}`]);
    }
    expect(slow.take(10)).toEqual([]);
    expect(await woken(slow)).toBe('lost');
  });

  it('works on a Cluster, one waiting connection per tag', async () => {
    const { client } = await privateCluster();
    const log = await open({ client });
    const runs = Array.from({ length: 40 }, (_, index) => key(`run-${index}`));
    const writers = runs.map((run) => log.open(run, 1));
    const readers = await Promise.all(runs.map((run) => readerOf(log, undefined, run)));
    for (const cursor of cursorsOf(1, 20)) {
      for (const [index, writer] of writers.entries()) writer.publish(token(cursor, runs[index]));
    }
    const all = await Promise.all(readers.map((reader) => read(reader, 20)));
    expect(all).toEqual(readers.map(() => cursorsOf(1, 20)));
  });
});
