import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Assistant } from '../../src/assistant.ts';
import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import { StewardError } from '../../src/errors/steward-error.ts';
import { isTerminal, type RunEvent } from '../../src/events/run-event.ts';
import { crashPointNames } from '../../src/internal/crash-point.ts';
import type { ModelRequest } from '../../src/model/model-client.ts';
import type { Run } from '../../src/run/run.ts';
import type { RunRecord } from '../../src/stores/run-store.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts';
import type { EffectRecord } from '../../src/testing/oracle/evidence.ts';
import { type SeededRandom, seededRandom } from '../../src/testing/random.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';
import type { ScriptedTurn } from '../../src/testing/scripted-turn.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool, ToolContext } from '../../src/tools/tool.ts';
import { bystander, codeOf, expectSound, local, mortalAssistant, storesOn } from './workshop.ts';

/** Breaks the stores that the assistants are given, to see that a campaign notices. */
export type Spoil = (stores: Stores) => Stores;

/** What a campaign lived through. */
export interface CampaignReport {
  readonly runs: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly deaths: number;
  readonly effects: number;
  readonly decisions: number;
  readonly cuts: number;
}

const runsPerWorld = 10;
const refusedCodes: readonly unknown[] = [
  'args_mismatch',
  'confirmation_expired',
  'store_unavailable',
];
const toolNames = ['read', 'write_idempotent', 'write', 'write_unasked'] as const;
type ToolName = (typeof toolNames)[number];

/**
 * Runs of random turns, tools and people in worlds where models and tools fail, owners die at any point, people decide
 * late or twice, strangers try, and readers leave and come back. Throws at the first promise that is broken, with the
 * seed of its world and the log of its run.
 */
export async function runCampaign(
  runs: number,
  seed: number,
  spoil: Spoil = (stores) => stores,
): Promise<CampaignReport> {
  const total = { runs: 0, deaths: 0, effects: 0, decisions: 0, cuts: 0 };
  const ends: Record<string, number> = {};
  const ofMachine = Object.getOwnPropertyDescriptor(Math, 'random') ?? {};
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  try {
    for (let n = 0; total.runs < runs; n++) {
      const world = new World(seed * 1_000_003 + n, spoil);
      // Jitter comes from the seed as well.
      Math.random = () => world.random.float();
      await world.live();
      assert.deepEqual(
        rejections,
        [],
        `seed ${world.random.seed}: a rejection that nobody handled`,
      );
      total.runs += world.accepted.size;
      total.deaths += world.deaths;
      total.effects += world.effects.length;
      total.decisions += world.decisions;
      total.cuts += world.cuts;
      for (const end of world.ends) ends[end] = (ends[end] ?? 0) + 1;
    }
  } finally {
    Object.defineProperty(Math, 'random', ofMachine);
    process.off('unhandledRejection', onRejection);
  }
  return { ...total, ends };
}

/** A process that works on runs. */
interface Employee {
  readonly assistant: Assistant;
  /** It will die at a point of its next runs. */
  arm(): void;
  /** What it says to the store hangs for a while, as that of a process that was stopped, and then goes through. */
  freeze(ms: number): void;
}

class World {
  readonly random: SeededRandom;
  readonly clock: FakeClock = fakeClock();
  readonly stores: Stores = storesOn(this.clock);
  readonly effects: EffectRecord[] = [];
  readonly accepted = new Set<string>();
  readonly ends: string[] = [];
  deaths = 0;
  decisions = 0;
  cuts = 0;
  readonly #assistants: Employee[] = [];
  readonly #reader: Assistant;
  readonly #watchers = new Map<string, Promise<RunEvent[]>>();
  #started = 0;
  #isCalm = false;

  readonly #spoiled: Stores;

  constructor(seed: number, spoil: Spoil) {
    this.random = seededRandom(seed);
    this.#spoiled = spoil({ ...this.stores, runs: this.#unreliable(this.stores.runs) });
    const { runs } = this.#spoiled;
    this.#reader = bystander({ stores: { ...this.stores, runs }, clock: this.clock });
    for (let n = 0; n < 3; n++) this.#hire();
  }

  async live(): Promise<void> {
    while (this.#started < runsPerWorld) await this.#step();
    for (let n = 0; n < 15; n++) await this.#step();
    this.#isCalm = true;
    for (let n = 0; n < 400 && !(await this.#isOver()); n++) {
      await this.clock.advance(2_000);
      if (this.random.chance(0.5)) await this.#decide();
    }
    // Who was frozen wakes up and may try what it likes.
    await this.clock.advance(30_000);
    for (const runId of this.accepted) await this.#check(runId);
  }

  async #isOver(): Promise<boolean> {
    const runs = await Promise.all([...this.accepted].map((id) => this.stores.runs.load(id, null)));
    return runs.every((run) => run?.end);
  }

  #hire(): void {
    let thawed: Promise<void> = Promise.resolve();
    const runs = new Proxy(this.#spoiled.runs, {
      get:
        (target, name) =>
        async (...args: unknown[]) => {
          await thawed;
          const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
          return method.apply(target, args);
        },
    });
    const { assistant, points } = mortalAssistant({
      stores: { ...this.#spoiled, runs },
      clock: this.clock,
      engine: this.#forgetful(new InProcessEngine({ clock: this.clock })),
      model: scriptedModel((request) => this.#turn(request)),
      tools: toolNames.map((name) => this.#tool(name)),
      limits: {
        decideWithinMs: 30_000,
        useWithinMs: 8_000,
        runTimeoutMs: 90_000,
        toolTimeoutMs: 15_000,
        firstTokenTimeoutMs: 10_000,
        betweenTokensTimeoutMs: 5_000,
        maxTurns: 6,
      },
    });
    const employee: Employee = {
      assistant,
      freeze: (ms) => {
        thawed = new Promise((resolve) => this.clock.schedule(resolve, ms));
      },
      arm: () => points.arm(this.random.pick(crashPointNames), this.random.integer(1, 3)),
    };
    this.#assistants.push(employee);
    void points.died.then(() => {
      this.deaths += 1;
      this.#assistants.splice(this.#assistants.indexOf(employee), 1);
      this.#hire();
    });
  }

  /** A store that cannot be reached now and then: sometimes the call got through, and only its answer is lost. */
  #unreliable<T extends object>(store: T): T {
    return new Proxy(store, {
      get:
        (target, name) =>
        async (...args: unknown[]) => {
          const fate = this.#isCalm ? 1 : this.random.float();
          if (fate < 0.004) throw new StewardError('store_unavailable', 'The store is away.');
          const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
          const answer = await method.apply(target, args);
          if (fate < 0.008) throw new StewardError('store_unavailable', 'The answer is lost.');
          return answer;
        },
    });
  }

  /** An engine that loses a segment now and then. */
  #forgetful(engine: InProcessEngine): RunEngine {
    return {
      isShared: false,
      enqueue: async (wake) => {
        if (this.#isCalm || !this.random.chance(0.05)) await engine.enqueue(wake);
      },
      start: (handler) => engine.start(handler),
      stop: (drainMs, until) => engine.stop(drainMs, until),
      stats: () => engine.stats(),
    };
  }

  get #anyone(): Assistant {
    return this.random.pick(this.#assistants).assistant;
  }

  async #step(): Promise<void> {
    const { random } = this;
    const act = random.pick([
      () => this.#start(),
      () => this.#start(),
      () => this.#decide(),
      () => this.#decide(),
      () => this.#cancel(),
      () => this.#steer(),
      () => this.#answer(),
      () => this.#trespass(),
      async () => random.pick(this.#assistants).arm(),
      async () => random.pick(this.#assistants).freeze(random.integer(1_000, 25_000)),
      () => this.#retire(),
    ]);
    await act();
    await this.clock.advance(random.pick([0, 1, 20, 300, 1_000, 4_000]));
  }

  async #start(): Promise<void> {
    const { random } = this;
    const n = this.#started++;
    const isRepeated = random.chance(0.3);
    const options = {
      onBusy: random.pick(['refuse', 'queue', 'supersede'] as const),
      ...(isRepeated && { requestId: `r${n}` }),
      ...(random.chance(0.6) && { conversationId: `c${random.integer(1, 3)}` }),
    };
    const runs = Array.from({ length: isRepeated ? random.integer(1, 3) : 1 }, () =>
      this.#anyone.run(`Task #${n}`, options),
    );
    for (const run of runs) run.result().catch(() => undefined);
    await this.clock.advance(0);
    const id = runs[0]?.id ?? '';
    // A run may be refused, or its creator may have died on the way: only what is stored was accepted.
    if (!(await this.stores.runs.load(id, local))) return;
    this.accepted.add(id);
    if (!this.#watchers.has(id)) this.#watchers.set(id, this.#watch(id));
  }

  /** Reads a run to its end, leaving and coming back. */
  async #watch(runId: string): Promise<RunEvent[]> {
    const { random } = this;
    const events: RunEvent[] = [];
    for (;;) {
      const after = events.at(-1)?.cursor;
      let left = random.chance(0.5) ? Number.POSITIVE_INFINITY : random.integer(1, 6);
      const run: Run = this.#reader.attach(runId, after === undefined ? {} : { after });
      for await (const event of run) {
        // The reader could not reach the store: that says nothing of the run.
        if (event.type === 'error' && event.code === 'store_unavailable') break;
        events.push(event);
        if (isTerminal(event)) return events;
        if (--left <= 0) break;
      }
      this.cuts += 1;
    }
  }

  async #someRun(): Promise<RunRecord | undefined> {
    const ids = [...this.accepted];
    if (ids.length === 0) return undefined;
    return (await this.stores.runs.load(this.random.pick(ids), null)) ?? undefined;
  }

  /** Somebody decides what waits: once, or several times at the same moment and not alike. */
  async #decide(): Promise<void> {
    const runs = await Promise.all([...this.accepted].map((id) => this.stores.runs.load(id, null)));
    const pending = runs.flatMap((run) =>
      run
        ? run.calls
            .filter(({ confirmation }) => confirmation?.status === 'pending')
            .map((call) => ({ run, call }))
        : [],
    );
    if (pending.length === 0) return;
    const { run, call } = this.random.pick(pending);
    const presses = this.random.pick([1, 1, 2, 5]);
    for (let press = 0; press < presses; press++) {
      const approve = this.random.chance(0.75);
      this.decisions += 1;
      this.#anyone
        .confirm(run.runId, call.callId, { approve, argsDigest: call.argsDigest })
        .catch(() => undefined);
    }
  }

  /** Somebody tries what is not allowed. */
  async #trespass(): Promise<void> {
    const run = await this.#someRun();
    if (!run) return;
    const { runId } = run;
    const stranger = { userId: 'eve' };
    const tries = [
      this.#reader.cancel(runId, stranger),
      this.#reader.steer(runId, 'x', stranger),
      this.#reader.attach(runId, stranger).result(),
      ...run.inputs.map(({ requestId }) => this.#reader.answer(runId, requestId, 1, stranger)),
      ...run.calls.map(({ callId, argsDigest }) =>
        this.#reader.confirm(runId, callId, { approve: true, argsDigest }, stranger),
      ),
    ];
    for (const code of await Promise.all(tries.map(codeOf))) {
      assert.match(code ?? '', /^(not_found|store_unavailable)$/, 'a stranger was heard');
    }
    const waiting = run.calls.find(({ confirmation }) => confirmation?.status === 'pending');
    if (!waiting) return;
    const other = { approve: true, argsDigest: 'other' };
    const code = await codeOf(this.#reader.confirm(runId, waiting.callId, other));
    assert.ok(refusedCodes.includes(code), `a decision about other arguments: ${code}`);
  }

  async #cancel(): Promise<void> {
    const run = await this.#someRun();
    if (run && this.random.chance(0.5)) this.#anyone.cancel(run.runId).catch(() => undefined);
  }

  async #steer(): Promise<void> {
    const run = await this.#someRun();
    if (run) this.#anyone.steer(run.runId, 'Be quick').catch(() => undefined);
  }

  async #answer(): Promise<void> {
    const run = await this.#someRun();
    for (const { requestId } of run?.inputs ?? []) {
      this.#anyone.answer(run?.runId ?? '', requestId, 'yes').catch(() => undefined);
    }
  }

  /** One process is replaced in good order. */
  async #retire(): Promise<void> {
    if (this.random.chance(0.7)) return;
    const [gone] = this.#assistants.splice(this.random.integer(0, this.#assistants.length - 1), 1);
    void gone?.assistant.close({ drainMs: this.random.pick([0, 500, 3_000]) });
    this.#hire();
  }

  #turn({ messages }: ModelRequest): ScriptedTurn {
    const { random } = this;
    const at = messages.findLastIndex(
      ({ role, content }) => role === 'user' && textOf(content).startsWith('Task'),
    );
    const task = textOf(messages[at]?.content);
    const turn = messages.slice(at).filter(({ role }) => role === 'assistant').length;
    const text = Array.from({ length: random.integer(0, 8) }, (_, n) => `${task}.${turn}.${n} `);
    const fault = this.#isCalm ? 1 : random.float();
    if (fault < 0.06)
      return {
        text,
        error: random.pick(['Broken.', { status: 429, retryAfterMs: 2_000 }, { status: 503 }]),
      };
    if (fault < 0.1) return { text, cutAfter: random.integer(0, text.length) };
    if (fault < 0.14) return { text, stallAfter: random.integer(0, text.length) };
    if (turn >= random.integer(1, 4)) return { text: [...text, 'Done.'] };
    const calls = Array.from({ length: random.integer(1, 4) }, () => ({
      name: random.pick(toolNames),
      args: { n: random.integer(0, 9) },
      ...(random.chance(0.05) && { argumentsText: '{"n":' }),
    }));
    return { text, toolCalls: calls };
  }

  #tool(name: ToolName): Tool {
    return tool({
      name,
      description: `Does what a ${name} does`,
      parameters: z.object({ n: z.number() }),
      effect: name === 'write_unasked' ? 'write' : name,
      ...(name === 'write_unasked' && { confirm: 'never' as const }),
      execute: (_args, context) => this.#work(name, context),
      reconcile: (callId) =>
        this.random.chance(0.3)
          ? {
              succeeded: this.effects.some((effect) => effect.callId === callId),
              content: 'settled',
            }
          : undefined,
    });
  }

  async #work(
    name: ToolName,
    { idempotencyKey, requestInput, signal }: ToolContext,
  ): Promise<string> {
    const { random, clock } = this;
    const isRepeated = this.effects.some(({ callId }) => callId === idempotencyKey);
    const applied = !(isRepeated && name === 'write_idempotent');
    this.effects.push({ callId: idempotencyKey, applied });
    const fate = this.#isCalm ? 1 : random.float();
    if (fate < 0.1) throw new Error('The tool broke.');
    if (fate < 0.14) return new Promise(() => {});
    if (fate < 0.18) {
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    }
    if (fate < 0.24) return `It said ${JSON.stringify(await requestInput({ message: 'Sure?' }))}`;
    if (fate < 0.6)
      await new Promise<void>((resolve) => clock.schedule(resolve, random.integer(1, 3_000)));
    return `${name} done`;
  }

  async #check(runId: string): Promise<void> {
    try {
      const run = await this.stores.runs.load(runId, null);
      if (!run?.end) throw new Error('not ended');
      const own = new Set(run.calls.map(({ callId }) => callId));
      const events = (await this.#watchers.get(runId)) ?? [];
      await expectSound(this.stores, runId, {
        effects: this.effects.filter(({ callId }) => own.has(callId)),
        readings: [{ runId, reader: local, events }],
      });
      this.ends.push(run.end.finishReason ?? run.end.error?.code ?? run.end.status);
    } catch (reason) {
      throw await this.#told(runId, reason);
    }
  }

  async #told(runId: string, reason: unknown): Promise<Error> {
    const log = await this.stores.runs.events(runId, 0, 10_000);
    const lines = log.map(
      ({ n, event: { runId: _run, at: _at, ...event } }) => `${n} ${JSON.stringify(event)}`,
    );
    const seen = await Promise.race([this.#watchers.get(runId), Promise.resolve(undefined)]);
    const run = await this.stores.runs.load(runId, null);
    const message = [
      `seed ${this.random.seed}, run ${runId} (${run?.status}, epoch ${run?.epoch}): ${reason instanceof Error ? reason.message : String(reason)}`,
      ...lines,
      `A reader saw: ${(seen ?? []).map(({ type, cursor }) => `${type}@${cursor}`).join(' ')}`,
    ].join('\n');
    return new Error(message, { cause: reason });
  }
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : '';
}
