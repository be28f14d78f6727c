import { type RunRecord, type RunStore, StewardError, type Wake } from '@steward/core';
import { seededRandom } from '@steward/core/testing';
import { describe, expect, it } from 'vitest';
import { databases, type TestStores } from './drivers.ts';
import { callOf, claimBy, newRun, owner } from './samples.ts';

const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;
const conversations = ['c-1', 'c-2', 'c-3'];
const long = 600_000;

type Random = ReturnType<typeof seededRandom>;

/** Somebody who does all kinds of things with a few conversations, beside others who do the same. */
class Actor {
  readonly #runs: RunStore;
  readonly #random: Random;
  readonly #created: string[];

  constructor(stores: TestStores, random: Random, created: string[]) {
    this.#runs = stores.runs;
    this.#random = random;
    this.#created = created;
  }

  async act(): Promise<void> {
    const acts = [
      () => this.#create('queue'),
      () => this.#create('supersede'),
      () => this.#create('refuse'),
      () => this.#cancel(),
      () => this.#decide(),
      () => this.#work(),
      () => this.#runs.sweep({ queuedForMs: 0, limit: 10 }).then((wakes) => this.#take(wakes)),
    ];
    try {
      await this.#random.pick(acts)();
    } catch (reason) {
      // Others may own what this one thought was its own; anything else is a fault.
      if (!(reason instanceof StewardError) || reason.code !== 'fenced') throw reason;
    }
  }

  async #create(onBusy: 'queue' | 'supersede' | 'refuse'): Promise<void> {
    const run = newRun({ conversationId: this.#random.pick(conversations), onBusy });
    const outcome = await this.#runs.create(run);
    if ('run' in outcome) this.#created.push(outcome.run.runId);
    if (outcome.kind === 'claimed') await this.#carryOn(outcome.run);
    if ('wake' in outcome) await this.#take(outcome.wake);
  }

  async #cancel(): Promise<void> {
    const runId = this.#some();
    if (runId) await this.#take((await this.#runs.requestCancel(runId, owner)).wake);
  }

  async #decide(): Promise<void> {
    const runId = this.#some();
    const run = runId === undefined ? null : await this.#runs.load(runId, owner);
    const call = run?.calls.find(({ confirmation }) => confirmation?.status === 'pending');
    if (!run || !call) return;
    const { callId, argsDigest } = call;
    const approve = this.#random.chance(0.5);
    const decision = { ...owner, runId: run.runId, callId, argsDigest, approve };
    await this.#take((await this.#runs.decide({ ...decision, useWithinMs: long })).wake);
  }

  async #work(): Promise<void> {
    const runId = this.#some();
    if (runId) await this.#take([{ runId, segment: 0 }]);
  }

  async #take(wakes: readonly Wake[]): Promise<void> {
    for (const { runId } of wakes) {
      const claim = await this.#runs.claim(runId, claimBy('actor'));
      if (claim) await this.#carryOn(claim.run);
    }
  }

  /** Commits a turn and pauses, gives the run back, or ends it. */
  async #carryOn(run: RunRecord): Promise<void> {
    const fence = { runId: run.runId, epoch: run.epoch };
    const next = this.#random.pick(['pause', 'release', 'finish', 'finish']);
    if (run.cancelRequested || next === 'finish') {
      const status = run.cancelRequested ? 'cancelled' : 'succeeded';
      const wakes = await this.#runs.finish(fence, { ...ended, status }, { content: 'Done.' }, []);
      return this.#take(wakes === 'steered' ? [] : wakes);
    }
    if (next === 'release') return this.#take(await this.#runs.release(fence));
    const call = callOf();
    const turn = run.turns.length + 1;
    const message = { role: 'assistant', content: '' } as const;
    const committed = { turn, message, finishReason: null, responseId: null, usage: null };
    await this.#runs.commitTurn(fence, committed, [call], []);
    await this.#runs.pause(fence, [{ callId: call.callId, decideWithinMs: long }], []);
  }

  #some(): string | undefined {
    return this.#created.length > 0 ? this.#random.pick(this.#created) : undefined;
  }
}

/** Statements that find rows which must not be. */
const oracle = (schema: string): Readonly<Record<string, string>> => ({
  'a conversation has one head while it has runs': `
    select lane from ${schema}.run where finished_at is null group by lane having count(*) filter (where is_head) <> 1`,
  'a waiting run has a decision to wait for': `
    select run_id from ${schema}.run r where status = 'waiting' and not exists (
      select from ${schema}.tool_call c where c.run_id = r.run_id and confirmation = 'pending')`,
  'no run that has ended waits for a decision': `
    select run_id from ${schema}.run r join ${schema}.tool_call c using (run_id)
    where finished_at is not null and confirmation = 'pending'`,
  'messages have places without a gap': `
    select conversation_no from ${schema}.message group by 1 having max(place) <> count(*)`,
  'conversations know how many messages they have': `
    select conversation_no from ${schema}.conversation c where message_count <> (
      select count(*) from ${schema}.message m where m.conversation_no = c.conversation_no)`,
  'each run has at most one question and one answer': `
    select run_id, role from ${schema}.message group by 1, 2 having count(*) > 1`,
});

describe.each(databases)('everything at once on $name', (database) => {
  it.each([1, 2, 3])('leaves nothing that must not be (seed %i)', async (seed) => {
    const first = await database.open();
    const second = await database.reopen(first);
    const random = seededRandom(seed);
    const created: string[] = [];
    const count = database.name === 'PostgreSQL' ? 12 : 4;
    const actors = Array.from(
      { length: count },
      (_, index) => new Actor(index % 2 === 0 ? first : second, random, created),
    );
    await Promise.all(
      actors.map(async (actor) => {
        for (let act = 0; act < 25; act++) await actor.act();
      }),
    );
    expect(created.length).toBeGreaterThan(count);
    for (const [what, statement] of Object.entries(oracle(first.schema))) {
      expect({ what, found: await first.sql(statement) }).toEqual({ what, found: [] });
    }
    for (const runId of created) {
      expect(await first.audit.verify(runId)).toMatchObject({ valid: true });
    }
    await database.close(second);
    await database.close(first);
  });
});
