import { Assistant, type Stores, tool } from '@steward/core';
import { scriptedModel } from '@steward/core/testing';
import pg from 'pg';
import { expect, inject, it, onTestFinished } from 'vitest';
import { postgresStores } from '../src/index.ts';

const url = inject('postgresUrl');
const schema = `rolling_upgrade_${process.pid}`;

/** What the migrations of a later version may do while this one is at work. */
const expansion = `
  begin;
  set local search_path to ${schema}, pg_temp;
  alter table run add column later text not null default 'x';
  alter table turn add column later integer;
  alter table tool_call add column later jsonb not null default '{}';
  alter table run_event add column later boolean not null default false;
  create table later (run_id text primary key references run on delete cascade);
  create index run_later on run (later);
  create function claim_run(p_run_id text, p_later jsonb) returns json language sql as $$ select null::json $$;
  insert into migration (name, run_on) values ('9999_later', now());
  commit;`;

/** What a later version may have written of a run that waits. */
const growth = `
  set search_path to ${schema};
  update turn set body = (body::jsonb || '{"later": {"a": 1}}')::json;
  update run set options = (options::jsonb || '{"later": 1}')::json, principal = (principal::jsonb || '{"later": 1}')::json;`;

function assistantOn(stores: Stores, sent: string[]): Assistant {
  const assistant = new Assistant({
    stores,
    model: scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: 'It is sent.' }
        : { toolCalls: [{ name: 'send', args: {} }] },
    ),
    tools: [
      tool({
        name: 'send',
        description: 'Sends it',
        parameters: { type: 'object', properties: {} },
        execute: (_, { callId }) => {
          sent.push(callId);
          return 'sent';
        },
      }),
    ],
  });
  onTestFinished(() => assistant.close({ drainMs: 0 }));
  return assistant;
}

async function open(migrate: boolean): Promise<Stores> {
  const stores = await postgresStores({ connectionString: url ?? '', schema, migrate });
  onTestFinished(() => stores.close());
  return stores;
}

/** Runs until a person has to decide, and decides. */
async function waiting(assistant: Assistant) {
  const run = assistant.run('Send it');
  const { confirmations } = await run.result();
  return { run, approve: () => run.confirm(confirmations[0]?.callId ?? '', { approve: true }) };
}

it.runIf(url !== null)(
  'runs in flight finish, and new ones begin, while a later version adds to the schema',
  async () => {
    const client = new pg.Client(url ?? '');
    await client.connect();
    onTestFinished(async () => {
      await client.query(`drop schema if exists ${schema} cascade`);
      await client.end();
    });
    const sent: string[] = [];
    const before = assistantOn(await open(true), sent);
    const inFlight = await waiting(before);
    const other = await waiting(before);
    await client.query(expansion);
    await client.query(growth);
    await inFlight.approve();
    expect((await inFlight.run.result()).text).toBe('It is sent.');
    const fresh = await waiting(before);
    await fresh.approve();
    expect((await fresh.run.result()).text).toBe('It is sent.');
    await before.close();
    // Started again, as a replica that crashed in the middle of the upgrade.
    const after = assistantOn(await open(false), sent);
    const going = after.attach(other.run.id);
    const [asked] = (await going.result()).confirmations;
    await going.confirm(asked?.callId ?? '', { approve: true });
    expect((await going.result()).text).toBe('It is sent.');
    expect(new Set(sent).size).toBe(3);
    expect(sent).toHaveLength(3);
  },
);
