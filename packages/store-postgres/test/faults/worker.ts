import { Assistant, type AssistantOptions, type Run, type RunEvent, tool } from '@steward/core';
import {
  brokenPromises,
  type EffectRecord,
  evidenceOf,
  scriptedModel,
} from '@steward/core/testing';
import type { PostgresStores } from '../../src/index.ts';

const reader = { tenantId: 'default', userId: 'local' };

/** A model that calls a tool and then says so. */
const caller = (name: string) =>
  scriptedModel(({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? { text: 'It is done.' }
      : { toolCalls: [{ name, args: { to: 'ann' } }] },
  );

/** An assistant with a tool that acts, the ledger of what it did, and clients that read all that is run. */
export class Worker {
  readonly effects: EffectRecord[] = [];
  readonly #assistants: Assistant[] = [];
  readonly #runs = new Map<string, RunEvent[]>();
  readonly #reading: Promise<void>[] = [];
  readonly stores: PostgresStores;

  constructor(stores: PostgresStores) {
    this.stores = stores;
  }

  assistant(options: Partial<AssistantOptions> = {}): Assistant {
    const assistant = new Assistant({
      model: caller('send'),
      stores: this.stores,
      tools: [this.tool()],
      lease: { ttlMs: 1_200, beatMs: 200, sweepMs: 50 },
      ...options,
    });
    this.#assistants.push(assistant);
    return assistant;
  }

  /** The tool; `work` is what it does beside its effect. */
  tool(work: (signal: AbortSignal) => unknown = () => undefined, description = 'Sends') {
    return tool({
      name: 'send',
      description,
      parameters: { type: 'object', properties: { to: { type: 'string' } } },
      effect: 'write_idempotent',
      confirm: 'never',
      execute: async (_, { idempotencyKey: callId, signal }) => {
        const isKnown = this.effects.some((effect) => effect.callId === callId);
        this.effects.push({ callId, applied: !isKnown });
        await work(signal);
        return 'sent';
      },
    });
  }

  /** Notes a run, and reads it to its end. */
  follow(run: Run): Run {
    const events: RunEvent[] = [];
    this.#runs.set(run.id, events);
    this.#reading.push(
      (async () => {
        for await (const event of run) events.push(event);
      })(),
    );
    return run;
  }

  /** Waits for the end of all runs, and says what does not hold. */
  async broken() {
    await Promise.all(this.#reading);
    const runs = [...this.#runs];
    return brokenPromises({
      runs: await evidenceOf(this.stores, this.#runs.keys()),
      accepted: [...this.#runs.keys()],
      effects: this.effects,
      readings: runs.map(([runId, events]) => ({ runId, reader, events })),
    });
  }

  async close(): Promise<void> {
    for (const assistant of this.#assistants) await assistant.close({ drainMs: 0 });
  }
}
