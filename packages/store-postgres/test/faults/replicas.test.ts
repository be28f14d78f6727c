import { type FailOverOptions, type FailOverReport, failOver } from '@steward/core/testing';
import { describe, expect, inject, it } from 'vitest';
import { databases } from '../drivers.ts';
import { Fleet, hasPostgres, until } from './fleet.ts';

const [server] = databases;
const setUp = new URL('./set-up.ts', import.meta.url).href;
const wrongClock = new URL('./wrong-clock.ts', import.meta.url).href;
const minute = 60_000;

/** A fail-over in a schema of its own: whoever shares one takes over the runs of others. */
async function survive(options: Pick<FailOverOptions, 'deaths' | 'plan'>, ttlMs = 1_200) {
  if (server === undefined) throw new Error('no server');
  const stores = await server.open();
  const settings = { connectionString: inject('postgresUrl'), schema: stores.schema, ttlMs };
  const execArgv = ['--conditions=@steward/source', '--no-warnings'];
  try {
    return await failOver({ setUp, settings, execArgv, ...options });
  } finally {
    await server.close(stores);
  }
}

/** What the ledger says came of each call. */
function outcomes({ evidence }: FailOverReport): string[] | undefined {
  return evidence?.run.calls.map(({ status }) => status);
}

describe.skipIf(!hasPostgres)('a replica that is killed', () => {
  it.concurrent('F2: killed between a committed turn and its first tool: the same calls, and no new turn', async () => {
    const report = await survive({ deaths: ['after_turn_commit'] });
    expect([report.broken, report.died]).toEqual([[], ['after_turn_commit']]);
    expect(report.requests.map(({ tool, applied }) => [tool, applied])).toEqual(
      expect.arrayContaining([
        ['read', true],
        ['write_idempotent', true],
        ['write', true],
      ]),
    );
    expect(report.requests).toHaveLength(3);
    const events = report.evidence?.events.map(({ event }) => event);
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'turn_reset', turn: 1 }));
  });

  it.concurrent('F3: killed between an effect and its result: asked twice under one key, and done once', async () => {
    const report = await survive({
      deaths: ['after_effect'],
      plan: { calls: [['write_idempotent']] },
    });
    expect([report.broken, report.died]).toEqual([[], ['after_effect']]);
    const [first, ...again] = report.requests.map(({ applied }) => applied);
    expect([first, new Set(again)]).toEqual([true, new Set([false])]);
    expect(outcomes(report)).toEqual(['succeeded']);
  });

  it.concurrent('F4: as F3 with a tool that must not be repeated: asked once, and its outcome is unknown', async () => {
    const report = await survive({
      deaths: ['after_effect'],
      plan: { calls: [['write_unasked']] },
    });
    expect([report.broken, report.died]).toEqual([[], ['after_effect']]);
    expect(report.requests).toHaveLength(1);
    expect(outcomes(report)).toEqual(['unknown']);
  });
});

describe.skipIf(!hasPostgres)('replicas that stop, block and die together', () => {
  it.concurrent('F5: a replica that was stopped and wakes up writes and says nothing more', async () => {
    await using fleet = await Fleet.open();
    const first = await fleet.start();
    fleet.outside.onEffect = () => first.kill('SIGSTOP');
    const { runId, ended } = await fleet.run(first, { calls: [['write_unasked']] });
    await until(() => fleet.outside.requests.length === 1);
    const second = await fleet.start();
    const elsewhere = fleet.read(second, runId);
    const before = await fleet.ended(runId);
    await elsewhere.ended;
    await first.kill('SIGCONT');
    // Who read at the first one hears of the end there as well.
    await ended;
    expect(await fleet.stores.runs.load(runId, null)).toEqual(before);
    expect(before.calls[0]?.status).toBe('unknown');
    expect(before.epoch).toBeGreaterThan(1);
    expect(await fleet.broken()).toEqual([]);
  });

  it.concurrent('F6: a replica that a tool blocks loses its runs, all of them, and writes nothing more', async () => {
    await using fleet = await Fleet.open();
    const first = await fleet.start({ blocksForMs: 3_000 });
    const second = await fleet.start();
    const talking = await fleet.run(first, { words: 150, wordMs: 20 });
    await talking.saw('token');
    const blocking = await fleet.run(first, { calls: [['compute']] });
    const runs = await Promise.all([talking, blocking].map(({ runId }) => fleet.ended(runId)));
    expect(runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    for (const { epoch } of runs) expect(epoch).toBeGreaterThan(1);
    await Promise.all([talking.ended, blocking.ended]);
    expect(second.end).toBeUndefined();
    expect(await fleet.broken()).toEqual([]);
  });

  it.concurrent('F8: all replicas killed at once: every run goes on in the next one, and what was asked is still asked', async () => {
    await using fleet = await Fleet.open();
    const replicas = await Promise.all([fleet.start(), fleet.start()]);
    const [first, second] = replicas;
    const talks = [
      await fleet.run(first, { words: 50, wordMs: 20 }),
      await fleet.run(second, { words: 50, wordMs: 20 }),
    ];
    const asking = await fleet.run(first, { calls: [['write']] });
    await Promise.all([...talks.map(({ saw }) => saw('token')), asking.saw('tool_request')]);
    await until(() => asking.events.some(({ type }) => type === 'tool_request'));
    await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
    const next = await fleet.start();
    for (const { runId } of talks) expect((await fleet.ended(runId)).epoch).toBeGreaterThan(1);
    const [asked] = asking.events.flatMap((event) =>
      event.type === 'tool_request' ? [event] : [],
    );
    await next.confirm(asking.runId, asked?.callId ?? '', asked?.argsDigest ?? '');
    expect((await fleet.ended(asking.runId)).status).toBe('succeeded');
    expect(fleet.outside.requests).toHaveLength(1);
    expect(await fleet.broken()).toEqual([]);
  });
});

describe.skipIf(!hasPostgres)('replicas that are replaced again and again, or misled', () => {
  it.concurrent('F9: a run that kills every owner ends as a crash loop, and the next replica stays', async () => {
    const report = await survive({ deaths: Array<string>(6).fill('before_start_call') }, 500);
    // On a slow machine an owner may lose its lease before it comes to the point, which counts as well.
    expect(report.died.length).toBeGreaterThan(3);
    expect(report.evidence?.run.end?.error?.code).toBe('crash_loop');
    expect([report.broken, report.requests]).toEqual([[], []]);
  });

  it.concurrent('F35: replicas whose clocks are wrong by minutes, and one steps back by an hour, take over neither early nor late', async () => {
    await using fleet = await Fleet.open();
    const skewed = (...ms: number[]) => {
      const set = `process.env.WRONG_CLOCK='${ms.join(',')}'`;
      return [`--import=data:text/javascript,${encodeURIComponent(set)}`, `--import=${wrongClock}`];
    };
    const [ahead, behind] = await Promise.all([
      fleet.start({ ttlMs: 2_000 }, skewed(10 * minute, -60 * minute, 300)),
      fleet.start({ ttlMs: 2_000 }, skewed(-10 * minute)),
    ]);
    const whole = await fleet.run(ahead, { words: 60, wordMs: 20 });
    expect((await fleet.ended(whole.runId)).epoch).toBe(1);
    const lost = await fleet.run(ahead, { words: 60, wordMs: 20 });
    await lost.saw('token');
    const elsewhere = fleet.read(behind, lost.runId);
    const killed = performance.now();
    await ahead.kill('SIGKILL');
    expect((await fleet.ended(lost.runId)).epoch).toBeGreaterThan(1);
    await elsewhere.ended;
    expect(performance.now() - killed).toBeLessThan(60_000);
    expect(await fleet.broken()).toEqual([]);
  });
});
