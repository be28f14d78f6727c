// One replica of a system on Postgres and Redis, as a process that others may kill.
import { Assistant, type Lease, type ModelClient, tool } from '@steward/core';
import { postgresStores } from '@steward/store-postgres';
import { bullMqEngine, redisStores } from '@steward/store-redis';

/** What a replica is given at its start. */
export interface ReplicaSettings {
  readonly postgresUrl: string;
  readonly redisUrl: string;
  readonly lease: Partial<Lease>;
  /** Milliseconds that runs get to come to their end after SIGTERM. */
  readonly drainMs: number;
  readonly tokenMs: number;
}

/** What a replica can be told to do. */
export type Command =
  | { readonly do: 'start'; readonly count: number; readonly input: 'speak' | 'ask' }
  | { readonly do: 'watch'; readonly runIds: readonly string[] }
  | { readonly do: 'approve'; readonly runId: string }
  | { readonly do: 'cancel'; readonly runIds: readonly string[] };

/** What a replica says; `at` is `Date.now()`, which all processes of a machine share. */
export type Report = { readonly at: number } & (
  | { readonly says: 'ready' | 'silenced' | 'closed' }
  | { readonly says: 'started'; readonly runIds: readonly string[] }
  | {
      readonly says: 'event';
      readonly runId: string;
      readonly type: string;
      readonly epoch: number;
    }
);

const given = JSON.parse(process.argv[2] ?? '{}') as ReplicaSettings;

type Said = Report extends infer R ? (R extends Report ? Omit<R, 'at'> : never) : never;
const report = (said: Said) => {
  // Who asked may be gone.
  if (process.connected) process.send?.({ ...said, at: Date.now() });
};

/** Says one word after the other until it is stopped; or calls a tool and says what came of it. */
const speaker: ModelClient = {
  async *stream({ messages }, { signal }) {
    yield { type: 'start', requestId: null };
    const last = messages.at(-1)?.content;
    const finish = {
      type: 'finish',
      responseId: null,
      model: null,
      usage: null,
      verbatim: null,
    } as const;
    if (last === 'ask') {
      yield { type: 'tool_call', id: 'call_1', name: 'send', argumentsText: '{}', custom: false };
      yield { ...finish, reason: 'tool_calls' };
      return;
    }
    const spoken = last === 'speak' ? Number.POSITIVE_INFINITY : 1;
    for (let word = 0; word < spoken && !signal.aborted; word++) {
      yield { type: 'text', text: `word ${word} ` };
      await new Promise((resolve) => setTimeout(resolve, given.tokenMs));
    }
    if (signal.aborted) report({ says: 'silenced' });
    yield { ...finish, reason: 'stop' };
  },
};

const redis = await redisStores({ url: given.redisUrl });
const { liveLog, rateLimiter } = redis;
const stores = await postgresStores({
  connectionString: given.postgresUrl,
  migrate: true,
  liveLog,
  rateLimiter,
});
const assistant = new Assistant({
  model: speaker,
  tools: [
    tool({
      name: 'send',
      description: 'Sends it',
      parameters: { type: 'object', properties: {} },
      execute: () => 'sent',
    }),
  ],
  stores,
  engine: await bullMqEngine({ url: given.redisUrl }),
  lease: given.lease,
});

async function start(count: number, input: 'speak' | 'ask'): Promise<void> {
  const runs = Array.from({ length: count }, () => assistant.run(input));
  await Promise.all(runs.map((run) => run[Symbol.asyncIterator]().next()));
  report({ says: 'started', runIds: runs.map(({ id }) => id) });
}

async function watch(runId: string): Promise<void> {
  for await (const { type, cursor } of assistant.attach(runId)) {
    report({ says: 'event', runId, type, epoch: Number(cursor.split('-')[0]) });
  }
}

async function approve(runId: string): Promise<void> {
  const run = assistant.attach(runId);
  const { confirmations } = await run.result();
  for (const { callId } of confirmations) await run.confirm(callId, { approve: true });
}

function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start':
      return start(command.count, command.input);
    case 'watch':
      return Promise.all(command.runIds.map(watch));
    case 'approve':
      return approve(command.runId);
    case 'cancel':
      return Promise.all(command.runIds.map((runId) => assistant.cancel(runId)));
  }
}

process.on('message', (command: Command) => void obey(command));

// The recipe of the guide on running several replicas.
async function end(): Promise<void> {
  await assistant.close({ drainMs: given.drainMs });
  await stores.close();
  await redis.close();
  report({ says: 'closed' });
  process.exit(0);
}

process.once('SIGTERM', () => void end());

report({ says: 'ready' });
