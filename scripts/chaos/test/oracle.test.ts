import { Assistant, tool, type Usage } from '@steward/core';
import { scriptedModel } from '@steward/core/testing';
import { postgresStores } from '@steward/store-postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Testimony } from '../client.ts';
import { withSchema } from '../database.ts';
import { brokenChains, type Evidence, examine, judge } from '../oracle.ts';
import { promises } from '../oracle-queries.ts';
import { Reading } from '../reading.ts';

const server = inject('postgresUrl');
const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
};
const database = 'chaos_oracle';
const address = new URL(server ?? 'postgres://nowhere');
address.pathname = database;
const url = address.href;

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server ?? '' });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** What a client, the tool server and the stores have of one run in which all went well. */
async function liveThrough(): Promise<Evidence> {
  const stores = await postgresStores({ connectionString: url, migrate: true });
  const write = tool({
    name: 'write',
    description: 'Writes',
    parameters: { type: 'object', properties: {} },
    execute: () => 'done',
  });
  const assistant = new Assistant({
    stores,
    tools: [write],
    model: scriptedModel([
      { text: ['t0.0.1.0 '], toolCalls: [{ name: 'write', args: {} }] },
      { text: ['t0.1.2.0 ', 't0.1.2.1 '] },
    ]),
  });
  const run = assistant.run('Go', { userId: 'u1', requestId: 'r1' });
  const [asked] = (await run.result()).confirmations;
  const callId = asked?.callId ?? '';
  await run.confirm(callId, { approve: true });
  const reading = new Reading();
  for await (const event of run) reading.see(event);
  await assistant.close();
  await stores.close();
  return {
    ledger: [
      {
        tool: 'write',
        key: callId,
        runId: run.id,
        attempt: 1,
        replica: 'r1',
        at: 1,
        isApplied: true,
      },
    ],
    testimonies: [
      {
        requestId: 'r1',
        userId: 'u1',
        isRepeated: false,
        runId: run.id,
        refusal: null,
        reading,
        presses: [{ callId, approve: true, answer: 'ok' }],
        cancel: null,
        trespasses: [],
        resumptions: 0,
        seconds: 1,
      },
    ],
  };
}

/** A statement, or other evidence. */
type Damage = string | ((evidence: Evidence) => Evidence);

function told(change: (testimony: Testimony) => Partial<Testimony>): Damage {
  return ({ ledger, testimonies }) => ({
    ledger,
    testimonies: testimonies.map((one) => ({ ...one, ...change(one) })),
  });
}

function reading(change: Partial<Reading>): Damage {
  return told((one) => ({
    reading: Object.assign(Object.create(one.reading), change) as Reading,
  }));
}

const otherEnd = {
  type: 'complete',
  runId: 'run',
  at: 1,
  cursor: '9-9',
  finishReason: 'stop',
  text: 'else',
  usage: noUsage,
} as const;

/** For each promise what breaks it. */
const damages: Readonly<Record<string, Damage>> = {
  'I1 no accepted run is lost': told(() => ({ runId: 'run_unknown' })),
  'I1 every run ends': `update run set finished_at = null, status = 'queued'`,
  'I1 every client sees an end': reading({ end: undefined }),
  'I1 a run ends by its deadline': `update run set finished_at = deadline_at + 45001`,
  'I1 one run for one request': `
    drop index run_request;
    insert into run (run_id, incarnation, tenant_id, user_id, conversation_id, lane, request_id, principal, input,
      options, status, is_head, epoch, woken_at, created_at, deadline_ms, deadline_at, finished_at)
    select 'run_2', incarnation, tenant_id, user_id, conversation_id, lane, request_id, principal, input,
      options, status, is_head, epoch, woken_at, created_at, deadline_ms, deadline_at, finished_at from run`,
  'I1 a refused request has no run': told(() => ({ refusal: 'conversation_busy' })),
  'I1 no run fails for a reason of our own': `
    update run set ending = '{"status": "failed", "text": "", "error": {"code": "internal"}}'`,
  'I2 one terminal event, and it is the last': `delete from run_event where event ->> 'type' = 'complete'`,
  'I3 a write takes effect at most once': ({ ledger, testimonies }) => ({
    ledger: [...ledger, ...ledger],
    testimonies,
  }),
  'I3 a write starts at most once': 'update tool_call set starts = 2',
  'I3 what succeeded took effect': ({ testimonies }) => ({ ledger: [], testimonies }),
  'I3 what was declined took none': `update tool_call set status = 'declined'`,
  'I3 no effect without a start that was let through': 'update tool_call set starts = 0',
  'I3 no effect without a consumed confirmation': `update tool_call set confirmation = 'approved'`,
  'I3 every call of a run that succeeded has a result': 'update tool_call set result = null',
  'I4 the log has no gap': 'delete from run_event where n = 2',
  'I4 no owner writes after its successor': `
    update run_event set event = replace(event::text, '"cursor":"1-', '"cursor":"9-')::json where n = 1`,
  'I5 clients read the end that is stored': reading({ end: otherEnd }),
  'I5 clients read the text that is stored': reading({ text: 't0.0.1.0 t0.1.2.0 t0.1.2.1 ' }),
  'I5 clients miss nothing without being told': reading({ durable: [] }),
  'I5 no text is made of two generations': `
    update run set ending = replace(ending::text, 't0.1.2.1', 't0.1.3.1')::json`,
  'I6 one message of the user, one of the assistant': `delete from message where role = 'user'`,
  'I6 the answer is what the run ended with': `
    update message set content = '"else"' where role = 'assistant'`,
  'I7 one audit entry for each start, end and decision': `delete from audit where action = 'call.started'`,
  'I7 one audit entry for the end of a run': `delete from audit where action = 'run.ended'`,
  'I7 a decision is taken once, and kept': told(({ presses }) => ({
    presses: presses.map((press) => ({ ...press, approve: false })),
  })),
  'I8 nobody else is heard': told(() => ({ trespasses: ['ok'] })),
  'I5 nothing is read twice, late or of others': reading({ faults: ['token 1-1 twice'] }),
};

describe.skipIf(server === null)('the oracle of campaigns', () => {
  let evidence: Evidence;

  beforeAll(async () => {
    await onServer(`create database ${database}`);
    evidence = await liveThrough();
  });

  afterAll(() => onServer(`drop database ${database}`));

  it('finds nothing where all went well', async () => {
    expect(await judge(url, evidence)).toEqual([]);
  });

  it.each(Object.entries(damages))('sees what breaks "%s"', async (promise, damage) => {
    const breaches = await withSchema(url, async (client) => {
      await client.query('begin');
      if (typeof damage === 'string') await client.query(damage);
      return examine(client, typeof damage === 'string' ? evidence : damage(evidence));
      // Nobody commits: the next one finds all as it was.
    });
    expect(breaches.map((breach) => breach.promise)).toContain(promise);
  });

  it('sees an audit entry that was changed', async () => {
    await withSchema(url, (client) =>
      client.query(`update audit set at = at + 1 where sequence = 2`),
    );
    expect(await brokenChains(url)).toHaveLength(1);
  });

  it('has seen each promise broken', () => {
    expect(Object.keys(damages)).toEqual(expect.arrayContaining(Object.keys(promises)));
  });
});
