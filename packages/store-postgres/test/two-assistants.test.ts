import {
  Assistant,
  type AssistantOptions,
  type RunEvent,
  type RunRecord,
  type Stores,
  tool,
} from '@steward/core';
import { crashPoints, scriptedModel } from '@steward/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { databases, type TestDatabase, type TestStores } from './drivers.ts';

const local = { tenantId: 'default', userId: 'local' };
/** Never runs out by itself, however slow the machine. */
const lease = { ttlMs: 120_000, beatMs: 100, sweepMs: 50 };
const emptySchema = { type: 'object', properties: {} };

/** A model that calls a tool in its first turn and then says what came of it. */
const caller = (name: string) =>
  scriptedModel(({ messages }) => {
    const last = messages.at(-1);
    return last?.role === 'tool'
      ? { text: `It said: ${last.content}` }
      : { toolCalls: [{ name, args: {} }] };
  });

/** Tools whose effects are counted for all processes together. */
function tools(effects: string[], confirm: 'always' | 'never' = 'always') {
  return (['write', 'write_idempotent'] as const).map((effect) =>
    tool({
      name: effect,
      description: 'Has an effect',
      parameters: emptySchema,
      effect,
      confirm,
      execute: (_, { idempotencyKey }) => {
        effects.push(idempotencyKey);
        return 'done';
      },
    }),
  );
}

/** Two processes, as far as the database can tell: other connections, and live logs of their own. */
class Pair {
  readonly #database: TestDatabase;
  readonly #assistants: Assistant[] = [];
  readonly first: TestStores;
  readonly second: TestStores;

  constructor(database: TestDatabase, first: TestStores, second: TestStores) {
    this.#database = database;
    this.first = first;
    this.second = second;
  }

  start(options: Partial<AssistantOptions> & { stores: Stores }): Assistant {
    const assistant = new Assistant({ model: caller('write'), ...options, lease });
    // One that dies is not closed: nobody closes a dead process.
    if (options.crashPoint === undefined) this.#assistants.push(assistant);
    return assistant;
  }

  /** Waits for the end of a run in the store, which is where every process sees it. */
  async ended(runId: string): Promise<RunRecord> {
    return vi.waitFor(
      async () => {
        const run = await this.second.runs.load(runId, local);
        if (!run?.end) throw new Error(`run ${runId} has not ended: ${run?.status}`);
        return run;
      },
      { timeout: 60_000, interval: 20 },
    );
  }

  /** Time passes until every lease has run out. */
  async expire(): Promise<void> {
    await this.first.sql(`update ${this.first.schema}.run set lease_until = 0`);
  }

  async close(): Promise<void> {
    for (const assistant of this.#assistants) await assistant.close({ drainMs: 0 });
    await this.#database.close(this.second);
    await this.#database.close(this.first);
  }
}

const pairs: Pair[] = [];

async function pairOn(database: TestDatabase): Promise<Pair> {
  const first = await database.open();
  const pair = new Pair(database, first, await database.reopen(first));
  pairs.push(pair);
  return pair;
}

afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair.close();
});

async function eventsOf(run: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

describe.each(databases)('two assistants over one $name', (database) => {
  it('decide in one what the other asked, and the effect happens once', async () => {
    const pair = await pairOn(database);
    const effects: string[] = [];
    const one = pair.start({ stores: pair.first, tools: tools(effects) });
    const other = pair.start({ stores: pair.second, tools: tools(effects) });

    const run = one.run('Do it');
    const waiting = await run.result();
    expect(waiting.status).toBe('waiting');
    const [asked] = waiting.confirmations;
    await other.attach(run.id).confirm(asked?.callId ?? '', { approve: true });
    const { end } = await pair.ended(run.id);
    const events = await eventsOf(other.attach(run.id));

    expect(end?.text).toBe('It said: done');
    expect(events.at(-1)).toMatchObject({ type: 'complete', text: 'It said: done' });
    expect(effects).toHaveLength(1);
    expect(await pair.first.audit.verify(run.id)).toMatchObject({ valid: true });
    const actions = (await pair.second.audit.read(local, run.id)).map(({ action }) => action);
    expect(actions).toEqual([
      'confirmation.approved',
      'call.started',
      'call.finished',
      'run.ended',
    ]);
  });

  it.each([
    ['write', 'after_effect', 1],
    ['write', 'after_start_call', 0],
    ['write_idempotent', 'after_effect', 2],
    ['write_idempotent', 'after_start_call', 1],
  ] as const)(
    'one dies with a %s call at %s: the other ends the run, with the effect %i times',
    async (effect, point, times) => {
      const pair = await pairOn(database);
      const effects: string[] = [];
      const waived = { tools: tools(effects, 'never') };
      const points = crashPoints();
      points.arm(point);
      const stores = { ...pair.first, runs: points.sever(pair.first.runs) };
      const model = caller(effect);
      const run = pair.start({ ...waived, stores, model, crashPoint: points.hook }).run('Do it');
      await points.died;
      await pair.expire();

      pair.start({ ...waived, stores: pair.second, model });
      const { epoch, calls, end } = await pair.ended(run.id);

      expect(effects).toHaveLength(times);
      expect(new Set(effects).size).toBe(Math.min(times, 1));
      const isUnknown = effect === 'write';
      expect(calls[0]?.status).toBe(isUnknown ? 'unknown' : 'succeeded');
      expect(end?.text).toContain(isUnknown ? 'It said: ' : 'It said: done');
      expect(epoch).toBe(2);
    },
  );

  it('make one run of the same request, and refuse another body in either', async () => {
    const pair = await pairOn(database);
    const model = scriptedModel(() => ({ text: 'Hello' }));
    const one = pair.start({ stores: pair.first, model });
    const other = pair.start({ stores: pair.second, model });
    const request = { requestId: 'r-1', conversationId: 'c-1' };
    const runs = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? one : other).run('Hi', request),
    );
    const [runId = '', ...others] = new Set(runs.map(({ id }) => id));
    expect(others).toEqual([]);
    expect((await pair.ended(runId)).end?.text).toBe('Hello');
    expect(await other.run('Hi', request).text()).toBe('Hello');
    expect(model.requests).toHaveLength(1);
    await expect(other.run('Something else', request).result()).rejects.toMatchObject({
      code: 'request_conflict',
    });
    const messages = await pair.second.conversations.read(local, 'c-1', { limit: 9 });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
  });

  it('cancel in one what runs in the other', async () => {
    const pair = await pairOn(database);
    const model = scriptedModel(() => ({ text: ['Once ', 'upon a time'], stallAfter: 1 }));
    const one = pair.start({ stores: pair.first, model });
    const other = pair.start({ stores: pair.second, model });
    const run = one.run('Tell me a story');
    for await (const event of run) if (event.type === 'run_started') break;
    await other.cancel(run.id);
    expect((await pair.ended(run.id)).status).toBe('cancelled');
    expect((await run.result()).status).toBe('cancelled');
  });
});
