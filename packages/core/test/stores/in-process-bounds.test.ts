import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/events/run-event.ts';
import {
  type InProcessStoresOptions,
  inProcessStores,
} from '../../src/stores/in-process/in-process-stores.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { woken } from '../../src/testing/suites/live-log-samples.ts';
import { ended, event, newRun, owner, turnOf } from '../../src/testing/suites/run-store-samples.ts';
import { clock } from './in-process-driver.ts';

const opened: Stores[] = [];

function open(options: InProcessStoresOptions = {}): Stores {
  const stores = inProcessStores({ clock, ...options });
  opened.push(stores);
  return stores;
}

afterEach(async () => {
  for (const stores of opened.splice(0)) await stores.close();
});

/** Runs that have ended, the oldest first. */
async function endedRuns({ runs }: Stores, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const run = newRun({ runId: `run-${index}`, requestId: `r-${index}`, requestDigest: 'd' });
    const fence = { runId: run.runId, epoch: 1 };
    await runs.create(run);
    await runs.commitTurn(fence, turnOf(1), [], [event(fence, 0)]);
    await runs.finish(fence, ended, { content: 'Done.' }, [event(fence, 1)]);
    ids.push(run.runId);
  }
  return ids;
}

function token(runId: string, k: number): RunEvent {
  return { type: 'token', runId, at: 1, cursor: `1-${k}`, turn: 1, text: 'x' };
}

describe('in-process runs', () => {
  it('keep their details while they are among the last that ended, then only how they ended', async () => {
    const stores = open({ finishedRuns: 2, compactRuns: 2 });
    const [dropped, compact, , , whole] = await endedRuns(stores, 5);
    const load = (runId = '') => stores.runs.load(runId, owner);
    expect(await load(dropped)).toBeNull();
    expect(await load(compact)).toMatchObject({ status: 'succeeded', end: ended, turns: [] });
    expect(await stores.runs.events(compact ?? '', 0, 9)).toEqual([]);
    expect((await load(whole))?.turns).toHaveLength(1);
    expect(await stores.runs.events(whole ?? '', 0, 9)).toHaveLength(2);
  });

  it('free the request ids of those that are gone', async () => {
    const stores = open({ finishedRuns: 1, compactRuns: 1 });
    await endedRuns(stores, 3);
    const request = { requestId: 'r-0', requestDigest: 'd' };
    expect((await stores.runs.create(newRun(request))).kind).toBe('claimed');
    expect((await stores.runs.create(newRun({ ...request, requestId: 'r-2' }))).kind).toBe(
      'existing',
    );
  });

  it('are never forgotten before they have ended', async () => {
    const stores = open({ finishedRuns: 1, compactRuns: 1 });
    const waiting = newRun();
    await stores.runs.create(waiting);
    await endedRuns(stores, 5);
    expect((await stores.runs.load(waiting.runId, owner))?.status).toBe('running');
  });
});

describe('the in-process live log', () => {
  /** A log with so many tokens and, unless it is left open, an end. */
  function write({ liveLog }: Stores, runId: string, tokens: number, isEnded = true) {
    const key = { runId, incarnation: 'i' };
    const writer = liveLog.open(key, 1);
    for (let k = 0; k < tokens; k++) writer.publish(token(runId, k));
    if (isEnded) {
      const cursor = `1-${tokens}`;
      writer.publish({ type: 'cancelled', runId, at: 1, cursor, partialText: '' });
    }
    return { key, writer };
  }

  it('drops the oldest finished run when there are too many, and tells its readers', async () => {
    const stores = open({ replayRuns: 2 });
    const first = write(stores, 'run-1', 3);
    const reader = await stores.liveLog.tail(first.key);
    reader?.take(1);
    write(stores, 'run-2', 3);
    write(stores, 'run-3', 3);
    expect(reader && (await woken(reader))).toBe('lost');
    expect(reader?.take(9)).toEqual([]);
    expect(await stores.liveLog.tail(first.key)).toBeUndefined();
    expect(await stores.liveLog.tail({ runId: 'run-2', incarnation: 'i' })).toBeDefined();
  });

  it('drops the oldest finished run when there are too many events', async () => {
    const stores = open({ replayEvents: 10 });
    const first = write(stores, 'run-1', 5);
    const second = write(stores, 'run-2', 6);
    expect(await stores.liveLog.tail(first.key)).toBeUndefined();
    expect(await stores.liveLog.tail(second.key)).toBeDefined();
  });

  it('never drops a run that has not ended', async () => {
    const stores = open({ replayRuns: 1, replayEvents: 1 });
    const live = write(stores, 'run-1', 5, false);
    for (const runId of ['run-2', 'run-3']) write(stores, runId, 5);
    expect((await stores.liveLog.tail(live.key))?.take(9)).toHaveLength(5);
  });

  it('takes nothing after the terminal event', async () => {
    const stores = open();
    const { key, writer } = write(stores, 'run-1', 1);
    writer.publish(token('run-1', 9));
    expect((await stores.liveLog.tail(key))?.take(9)).toHaveLength(2);
  });
});

describe('in-process artifacts', () => {
  async function* body(bytes: number): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(bytes);
  }
  const artifact = (bytes: number) => ({
    ...owner,
    runId: 'run-1',
    mediaType: 'text/plain',
    body: body(bytes),
  });

  it('are in a directory of their own that nobody else can enter, and that goes with the stores', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'artifacts-test-'));
    vi.stubEnv('TMPDIR', parent);
    try {
      const stores = open({ artifactBytes: 10 });
      await stores.artifacts.put(artifact(10));
      await expect(stores.artifacts.put(artifact(11))).rejects.toThrow('artifact_too_large');
      const [directory = ''] = await readdir(parent);
      expect((await stat(join(parent, directory))).mode & 0o777).toBe(0o700);
      expect(await readdir(join(parent, directory))).toHaveLength(1);
      await stores.close();
      expect(await readdir(parent)).toEqual([]);
      await expect(stores.artifacts.put(artifact(1))).rejects.toThrow('closed');
    } finally {
      vi.unstubAllEnvs();
      await rm(parent, { recursive: true });
    }
  });

  it('make room for new ones by deleting the oldest', async () => {
    const stores = open({ artifactsBytes: 25 });
    const [first, second, third] = [
      await stores.artifacts.put(artifact(10)),
      await stores.artifacts.put(artifact(10)),
      await stores.artifacts.put(artifact(10)),
    ];
    expect(await stores.artifacts.read(owner, first.artifactId)).toBeNull();
    expect(await stores.artifacts.read(owner, second.artifactId)).not.toBeNull();
    expect(await stores.artifacts.read(owner, third.artifactId)).not.toBeNull();
  });
});

describe('inProcessStores', () => {
  it.each([
    'finishedRuns',
    'compactRuns',
    'replayRuns',
    'replayEvents',
    'artifactBytes',
    'artifactsBytes',
  ])('refuses a %s that is not a positive integer', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5']) {
      expect(() => inProcessStores({ [name]: value })).toThrow(new RegExp(`TypeError|${name}`));
    }
  });

  it('uses the clock of the machine unless another is given', async () => {
    vi.useFakeTimers({ now: 5_000 });
    try {
      const stores = inProcessStores();
      await stores.runs.create(newRun({ runId: 'run-1' }));
      expect((await stores.runs.load('run-1', owner))?.createdAt).toBe(5_000);
    } finally {
      vi.useRealTimers();
    }
  });
});
