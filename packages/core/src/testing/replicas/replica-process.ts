/** The program of a replica: an assistant made by a set-up module, told what to do by the process that started it. */
import process from 'node:process';
import type { Assistant } from '../../assistant.ts';
import { StewardError } from '../../errors/steward-error.ts';
import type { Effect } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import { tool } from '../../tools/define-tool.ts';
import type { Tool } from '../../tools/tool.ts';
import { crashPointFromEnvironment } from '../crash-points.ts';
import { evidenceOf } from '../oracle/evidence.ts';
import { planModel } from './plan.ts';
import type { FromReplica, ReplicaVerb, ReplicaVerbs, ToReplica } from './protocol.ts';
import type { SetUp } from './set-up.ts';

const [setUpUrl = '', settings = 'null'] = process.argv.slice(2);

function tell(message: FromReplica): void {
  // Who started this process may be gone.
  if (process.connected) process.send?.(message);
}

process.on('disconnect', () => process.exit(1));
process.on('unhandledRejection', (reason) => {
  tell({ kind: 'incident', what: `unhandled rejection: ${String(reason)}` });
});

let asked = 0;
const waiting = new Map<number, () => void>();

/** Acts on the world outside, which outlives this process; resolves once it has happened. */
function affect(callId: string, name: string, args: Json): Promise<void> {
  const n = asked++;
  return new Promise((resolve) => {
    waiting.set(n, resolve);
    tell({ kind: 'effect', n, callId, tool: name, args });
  });
}

/** A tool of each effect, and one that writes without asking. */
function tools(): Tool[] {
  const effects: Readonly<Record<string, Effect>> = {
    read: 'read',
    write_idempotent: 'write_idempotent',
    write: 'write',
    write_unasked: 'write',
  };
  return Object.entries(effects).map(([name, effect]) =>
    tool({
      name,
      description: `Acts outside: ${effect}`,
      parameters: { type: 'object', properties: { n: { type: 'number' } } },
      effect,
      confirm: name === 'write' ? 'always' : 'never',
      execute: async (args, { idempotencyKey }) => {
        await affect(idempotencyKey, name, args as Json);
        return `${name} done`;
      },
    }),
  );
}

const { default: setUp } = (await import(setUpUrl)) as { default: SetUp };
let made: Assistant | undefined;

function assistant(): Assistant {
  if (made === undefined) throw new TypeError('The replica was not told to begin.');
  return made;
}

/** Nobody has to tell another process whether a reader is lost here or the run has ended. */
const losses = new Set<string>(['closed', 'store_unavailable']);

async function read(reading: number, runId: string, after: string | null): Promise<void> {
  for await (const event of assistant().attach(runId, after === null ? {} : { after })) {
    if (event.type === 'error' && losses.has(event.code)) break;
    tell({ kind: 'event', reading, event });
  }
  tell({ kind: 'end', reading });
}

type Verbs = {
  readonly [V in ReplicaVerb]: (
    ...args: Parameters<ReplicaVerbs[V]>
  ) => ReturnType<ReplicaVerbs[V]> | Promise<ReturnType<ReplicaVerbs[V]>>;
};

const verbs: Verbs = {
  async begin() {
    const options = { model: planModel, tools: tools(), crashPoint: crashPointFromEnvironment() };
    made = await setUp(options, JSON.parse(settings) as Json);
    return null;
  },
  run: (input, options) => assistant().run(input, options).id,
  attach(reading, runId, after) {
    void read(reading, runId, after);
    return null;
  },
  async confirm(runId, callId, argsDigest) {
    await assistant().confirm(runId, callId, { approve: true, argsDigest });
    return null;
  },
  async cancel(runId) {
    await assistant().cancel(runId);
    return null;
  },
  evidence: (runIds) => evidenceOf(assistant().stores, runIds),
  async close(drainMs) {
    await assistant().close({ drainMs });
    return null;
  },
};

async function answer(ask: number, verb: ReplicaVerb, args: readonly unknown[]): Promise<void> {
  try {
    const value = await (verbs[verb] as (...args: readonly unknown[]) => unknown)(...args);
    tell({ kind: 'answer', to: ask, value });
  } catch (reason) {
    const { code, detail } = StewardError.from(reason, 'internal');
    tell({ kind: 'refusal', to: ask, code, detail });
  }
}

process.on('message', (message: ToReplica) => {
  if ('ask' in message) return void answer(message.ask, message.verb, message.args);
  waiting.get(message.affected)?.();
  waiting.delete(message.affected);
});
tell({ kind: 'ready' });
