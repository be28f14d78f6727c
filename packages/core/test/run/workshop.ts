import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { Assistant } from '../../src/assistant.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import { StewardError } from '../../src/errors/steward-error.ts';
import type { RunEvent } from '../../src/events/run-event.ts';
import type { AssistantOptions } from '../../src/options.ts';
import type { Run } from '../../src/run/run.ts';
import { inProcessStores } from '../../src/stores/in-process/in-process-stores.ts';
import type { Stores } from '../../src/stores/stores.ts';
import { type CrashPoints, crashPoints } from '../../src/testing/crash-points.ts';
import type { FakeClock } from '../../src/testing/fake-clock.ts';
import { brokenPromises } from '../../src/testing/oracle/broken-promises.ts';
import { type Evidence, evidenceOf } from '../../src/testing/oracle/evidence.ts';
import { type ScriptedTurnFunction, scriptedModel } from '../../src/testing/scripted-model.ts';
import { tool } from '../../src/tools/define-tool.ts';
import type { Tool, ToolContext } from '../../src/tools/tool.ts';

export { textRead } from '../../src/testing/oracle/reader-promises.ts';

/** Who asks where a test says nothing else. */
export const local = { tenantId: 'default', userId: 'local' };

/** What tools did, by idempotency key. */
export class Effects {
  readonly starts: string[] = [];

  /** How often the effect with this key was asked for. */
  count(key: string): number {
    return this.starts.filter((start) => start === key).length;
  }
}

/** A tool of each effect that notes what it does in the ledger. */
export function effectTools(effects: Effects, work?: (context: ToolContext) => unknown): Tool[] {
  return (['read', 'write_idempotent', 'write'] as const).map((effect) =>
    tool({
      name: effect,
      description: `A tool whose effect is ${effect}`,
      parameters: z.object({ n: z.number().optional() }),
      effect,
      execute: async ({ n }, context) => {
        effects.starts.push(context.idempotencyKey);
        await work?.(context);
        return `${effect} ${n ?? ''} done`;
      },
    }),
  );
}

/** A model that calls what `plan` says in the turns before the last, and then answers with `answer`. */
export function planned(
  plan: readonly (readonly string[])[],
  answer: string | readonly string[] = 'All is done.',
): ScriptedTurnFunction {
  return ({ messages }) => {
    const since = messages.findLastIndex((message) => message.role === 'user');
    const turn = messages.slice(since).filter((message) => message.role === 'assistant').length;
    const names = plan[turn];
    if (!names) return { text: answer };
    return {
      text: ['Let me ', 'see.'],
      toolCalls: names.map((name, n) => ({ name, args: { n } })),
    };
  };
}

/** An assistant over given stores whose time passes quickly. */
export function quickAssistant(options: Partial<AssistantOptions> & { stores: Stores }): Assistant {
  return new Assistant({
    model: scriptedModel(planned([])),
    ...options,
    lease: { ttlMs: 10_000, beatMs: 2_000, sweepMs: 1_000, ...options.lease },
  });
}

/** An assistant that can die: from then on nothing of it reaches the stores. */
export function mortalAssistant(options: Partial<AssistantOptions> & { stores: Stores }): {
  readonly assistant: Assistant;
  readonly points: CrashPoints;
} {
  const points = crashPoints();
  const { stores } = options;
  const severed = { ...stores, runs: points.sever(stores.runs), usage: points.sever(stores.usage) };
  const assistant = quickAssistant({ ...options, stores: severed, crashPoint: points.hook });
  return { assistant, points };
}

/** An assistant that only reads and decides: the work is for others. */
export function bystander(options: Partial<AssistantOptions> & { stores: Stores }): Assistant {
  const engine: RunEngine = {
    isShared: false,
    enqueue: async () => {},
    start: async () => {},
    stop: async () => {},
    stats: () => ({ queued: 0, running: 0 }),
  };
  return quickAssistant({ ...options, engine, lease: { sweepMs: 1e9 } });
}

/** Everything an iterator says. */
export async function eventsOf(run: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

/** The types of events, in order. */
export function typesOf(events: readonly RunEvent[]): string[] {
  return events.map((event) => event.type);
}

/** The code with which a promise rejects; `undefined` when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (reason) {
    if (reason instanceof StewardError) return reason.code;
    throw reason;
  }
}

/** What this process warns of, while it is in use. */
export function heardWarnings(): Disposable & { readonly heard: readonly string[] } {
  const heard: string[] = [];
  const hear = (warning: Error) => void heard.push(warning.message);
  process.on('warning', hear);
  return { heard, [Symbol.dispose]: () => void process.off('warning', hear) };
}

/** Waits, turn by turn of the event loop, until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (await holds()) return;
    await setImmediate();
  }
  throw new Error('It never came to hold.');
}

/** Moves a fake clock until a run has ended or waits for a person. */
export async function settle(clock: FakeClock, run: Run<unknown>): Promise<string> {
  let state = '';
  run.result().then(
    (result) => {
      state = result.status;
    },
    (reason: StewardError) => {
      state = reason.code;
    },
  );
  for (let step = 0; step < 200 && state === ''; step++) await clock.advance(500);
  assert.notEqual(state, '', 'the run did not settle');
  return state;
}

/** What must hold for a run that has ended, whatever it lived through. Returns its durable events. */
export async function expectSound(
  stores: Stores,
  runId: string,
  seen: Pick<Evidence, 'effects' | 'readings'> = {},
): Promise<readonly RunEvent[]> {
  const runs = await evidenceOf(stores, [runId]);
  assert.deepEqual(brokenPromises({ runs, accepted: [runId], ...seen }), []);
  return runs.flatMap(({ events }) => events.map(({ event }) => event));
}

/** New stores over a clock. */
export function storesOn(clock: FakeClock): Stores {
  return inProcessStores({ clock });
}

/** The actions in a run's audit chain. */
export async function auditOf(stores: Stores, runId: string, owner = local): Promise<string[]> {
  return (await stores.audit.read(owner, runId)).map((record) => record.action);
}

// What is loaded when first used is loaded now: a fake clock does not wait for files.
await using warm = quickAssistant({ stores: inProcessStores(), tools: effectTools(new Effects()) });
await warm.call('read', {}).result();
await warm.run('Hello').result();
