import { expect, it } from 'vitest';
import type { RunEngine, SegmentHandler } from '../../src/engine/run-engine.ts';
import { StewardError } from '../../src/errors/steward-error.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import {
  Effects,
  effectTools,
  heardWarnings,
  local,
  planned,
  quickAssistant,
  until,
} from '../run/workshop.ts';

/** An engine that brings segments at once and can take them all away. */
class RudeEngine implements RunEngine {
  readonly isShared = false;
  readonly taking = new AbortController();
  readonly segments: Promise<void>[] = [];
  #handler: SegmentHandler = async () => {};

  async enqueue(wake: Parameters<SegmentHandler>[0]): Promise<void> {
    this.segments.push(this.#handler(wake, this.taking.signal));
  }

  async start(handler: SegmentHandler): Promise<void> {
    this.#handler = handler;
  }

  async stop(): Promise<void> {}

  stats() {
    return { queued: 0, running: 0 };
  }
}

it('gives a segment back that its engine takes away', async () => {
  const stores = inProcessStores();
  const engine = new RudeEngine();
  const effects = new Effects();
  await using assistant = quickAssistant({
    stores,
    engine,
    lease: { sweepMs: 1e9 },
    model: scriptedModel(planned([['write_idempotent']])),
    tools: effectTools(effects, () => new Promise(() => {})),
  });
  const run = assistant.run('Go');
  const { confirmations } = await run.result();
  await run.confirm(confirmations[0]?.callId ?? '', { approve: true });
  await until(() => effects.starts.length === 1);
  engine.taking.abort();
  await Promise.all(engine.segments);
  expect(await stores.runs.load(run.id, local)).toMatchObject({ status: 'queued', end: null });
});

it('survives a store that is away when the engine brings a segment', async () => {
  const stores = inProcessStores();
  const engine = new RudeEngine();
  const claim = async () => {
    throw new StewardError('store_unavailable', 'The store is away.');
  };
  await using _assistant = quickAssistant({
    stores: { ...stores, runs: { ...stores.runs, claim } },
    engine,
  });
  using warnings = heardWarnings();
  await engine.enqueue({ runId: 'run_1', segment: 1 });
  expect(await Promise.allSettled(engine.segments)).toMatchObject([{ status: 'fulfilled' }]);
  await until(() => warnings.heard.length > 0);
  expect(warnings.heard).toEqual([
    'Steward could not claim run run_1: StewardError: [store_unavailable] The store is away.',
  ]);
});

it('warns when its sweep fails, once until it succeeds again', async () => {
  const stores = inProcessStores();
  const clock = fakeClock();
  let sweeps = 0;
  const works = new Set([3, 4]);
  const sweep = async () => {
    sweeps += 1;
    if (works.has(sweeps)) return [];
    throw new TypeError(`sweep ${sweeps} is broken`);
  };
  using warnings = heardWarnings();
  await using _assistant = quickAssistant({
    clock,
    stores: { ...stores, runs: { ...stores.runs, sweep } },
  });
  while (sweeps < 6) {
    // A sweep schedules the next one after it has seen how it went.
    await until(() => clock.pending.length > 0);
    await clock.advance(clock.pending[0] ?? 0);
  }
  expect(warnings.heard).toEqual([
    'Steward could not look for runs that nobody owns: TypeError: sweep 1 is broken',
    'Steward could not look for runs that nobody owns: TypeError: sweep 5 is broken',
  ]);
});
