import { afterEach, describe, expect, it } from 'vitest';
import { databases, type TestStores } from './drivers.ts';
import { newRun, owner } from './samples.ts';

const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;

async function endedRun({ runs }: TestStores, requestId: string | null = null) {
  const run = newRun({ requestId, requestDigest: requestId });
  const fence = { runId: run.runId, epoch: 1 };
  const { runId } = fence;
  await runs.create(run);
  const message = { role: 'assistant', content: 'Hi' } as const;
  const turn = { turn: 1, message, finishReason: 'stop', responseId: null, usage: null };
  await runs.commitTurn(fence, turn, [], []);
  await runs.finish(fence, ended, { content: 'Done.' }, [
    { type: 'cancelled', runId, at: 1, cursor: '1-1', partialText: '' },
  ]);
  return run;
}

async function* body() {
  yield new Uint8Array(10);
}

describe.each(databases)('retention on $name', (database) => {
  const opened: TestStores[] = [];
  const open = async (...given: Parameters<typeof database.open>) => {
    const stores = await database.open(...given);
    opened.push(stores);
    return stores;
  };
  afterEach(async () => {
    for (const stores of opened.splice(0)) await database.close(stores);
  });

  it('removes the details of old runs first, then the runs, and never what has not ended', async () => {
    const stores = await open();
    const run = await endedRun(stores, 'r-1');
    const waiting = newRun();
    await stores.runs.create(waiting);
    await database.passTime(5);

    expect(await stores.retain({ detailsMs: 1 })).toEqual({
      details: 1,
      runs: 0,
      artifacts: 0,
      usage: 0,
    });
    expect(await stores.retain({ detailsMs: 1 })).toMatchObject({ details: 0 });
    const compact = await stores.runs.load(run.runId, owner);
    expect(compact).toMatchObject({ status: 'succeeded', end: ended, turns: [], eventCount: 1 });
    expect(await stores.runs.events(run.runId, 0, 9)).toEqual([]);

    expect(await stores.retain({ runsMs: 1 })).toMatchObject({ runs: 1 });
    expect(await stores.runs.load(run.runId, owner)).toBeNull();
    expect((await stores.runs.load(waiting.runId, owner))?.status).toBe('running');
    const messages = await stores.conversations.read(owner, run.conversationId, { limit: 9 });
    expect(messages).toHaveLength(2);
    expect(await stores.audit.verify(run.runId)).toMatchObject({ valid: true, length: 1 });
  });

  it('removes old artifacts, and those whose writer died', async () => {
    const stores = await open();
    const artifact = { ...owner, runId: 'run-1', mediaType: 'text/plain', body: body() };
    const { artifactId } = await stores.artifacts.put(artifact);
    await stores.sql(
      `insert into ${stores.schema}.artifact values ('half', 't', 'u', 'r', 'text/plain', null, 1)`,
    );
    expect(await stores.retain({ artifactsMs: 600_000 })).toMatchObject({ artifacts: 1 });
    await database.passTime(5);
    expect(await stores.retain({ artifactsMs: 1 })).toMatchObject({ artifacts: 1 });
    expect(await stores.artifacts.read(owner, artifactId)).toBeNull();
    const [left] = await stores.sql(
      `select count(*)::int as chunks from ${stores.schema}.artifact_chunk`,
    );
    expect(left).toEqual({ chunks: 0 });
  });

  it('removes old accounts of tokens, settled and not, however many', async () => {
    const stores = await open();
    const { schema, usage } = stores;
    await stores.sql(
      `insert into ${schema}.usage_entry
       select 'tenant-1', 'user-1', n::text, ${schema}.owner_key('tenant-1', 'user-1'), n, 1, n % 2 = 0
       from generate_series(1, 1200) n`,
    );
    const day = { windowMs: 86_400_000, tokens: 100 };
    await usage.reserve(owner, 'today', 60, [day]);
    expect(await stores.retain({ usageMs: 600_000 })).toMatchObject({ usage: 1200 });
    expect(await usage.reserve(owner, 'more', 60, [day])).toMatchObject({ granted: false });
  });

  it('keeps what is younger, and everything without a policy', async () => {
    const stores = await open();
    const run = await endedRun(stores);
    await stores.retain({
      detailsMs: 600_000,
      runsMs: 600_000,
      artifactsMs: 600_000,
      usageMs: 600_000,
    });
    await stores.retain({});
    expect((await stores.runs.load(run.runId, owner))?.turns).toHaveLength(1);
  });

  it('is done from time to time while the stores are open', async () => {
    const stores = await open({ retention: { runsMs: 1, everyMs: 10 } });
    const run = await endedRun(stores);
    await expect.poll(() => stores.runs.load(run.runId, owner)).toBeNull();
  });
});
