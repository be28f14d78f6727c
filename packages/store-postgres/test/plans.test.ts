import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { postgresStores } from '../src/index.ts';
import { databases, type Rows } from './drivers.ts';
import { callOf, claimBy, newRun, owner } from './samples.ts';

const ended = { status: 'succeeded', text: 'Done.', finishReason: 'stop', error: null } as const;
const [server] = databases;

/** Runs that have ended, all of one user and half of them of one conversation, with what they left behind. */
const history = (schema: string, count: number) => `
  set search_path to ${schema};
  insert into run (
    run_id, incarnation, tenant_id, user_id, conversation_id, lane, request_id, request_digest, principal, input, options,
    status, is_head, epoch, woken_at, created_at, deadline_ms, deadline_at, finished_at, ending
  )
  select 'old-' || n, '', 'tenant-1', 'user-1', c, lane_key('tenant-1', 'user-1', c), 'request-' || n, '', '{}', '{}', '{}',
    'succeeded', true, 1, n, n, 1, n, n, '{}'
  from generate_series(1, ${count}) n, lateral (select case when n % 2 = 0 then 'c-1' else 'c-' || n end as c) x;
  insert into run_event select run_id, 1, '{}' from run;
  insert into turn select run_id, 1, '{}' from run;
  insert into usage_entry
  select tenant_id, user_id, run_id, owner_key(tenant_id, user_id), created_at, 1, true from run;
  insert into conversation (tenant_id, user_id, conversation_id, owner, created_at, updated_at, touched, message_count)
  select tenant_id, user_id, conversation_id, owner_key(tenant_id, user_id), 1, 1, nextval('conversation_touch'), count(*)
  from run group by 1, 2, 3;
  insert into message (conversation_no, place, message_id, run_id, role, content, bytes, at)
  select conversation_no, n, conversation_no || '-' || n, 'old', 'user', '"Hi"', 4, 1
  from conversation, generate_series(1, message_count) n;
  insert into audit select 'old-' || n, 1, 'tenant-1', 'user-1', 'run.ended', '{}', 1, '' from generate_series(1, ${count}) n;`;

describe.skipIf(inject('postgresUrl') === null)('a database full of ended runs', () => {
  /** A whole life of a run, with everything that is done for all runs from time to time. */
  async function live(stores: Awaited<ReturnType<typeof postgresStores>>): Promise<void> {
    const { runs, conversations, usage } = stores;
    const run = newRun({ conversationId: 'c-1', requestId: 'r-1', requestDigest: 'd' });
    const fence = { runId: run.runId, epoch: 1 };
    await runs.create(run);
    await runs.create({ ...run, runId: 'again' });
    await runs.create(newRun({ conversationId: 'c-1', onBusy: 'queue' }));
    await conversations.read(owner, 'c-1', { limit: 5 });
    await usage.reserve(owner, 'x', 1, [{ windowMs: 60_000, tokens: 1_000 }]);
    const call = callOf();
    const message = { role: 'assistant', content: '' } as const;
    const turn = { turn: 1, message, finishReason: null, responseId: null, usage: null };
    await runs.commitTurn(fence, turn, [call], []);
    await runs.pause(fence, [{ callId: call.callId, decideWithinMs: 60_000 }], []);
    await runs.sweep({ queuedForMs: 0, limit: 100 });
    const { callId, argsDigest, definitionHash } = call;
    const decision = { ...owner, runId: run.runId, callId, argsDigest, approve: true };
    await runs.decide({ ...decision, useWithinMs: 60_000 });
    await runs.claim(run.runId, claimBy('process-2'));
    const mine = { ...fence, epoch: 2 };
    await runs.startCall(mine, { callId, argsDigest, definitionHash }, []);
    await runs.finishCall(mine, callId, { outcome: 'succeeded', content: 'sent' }, []);
    await runs.renew([mine], 60_000);
    await runs.heads([run.runId]);
    await runs.events(run.runId, 0, 10);
    await runs.finish(mine, ended, { content: 'Done.' }, []);
    await runs.load(run.runId, owner);
    await conversations.list(owner, { limit: 5 });
  }

  /** By a connection of its own: what it reads must not be counted with the rest. */
  async function fill(schema: string, analyze: boolean): Promise<void> {
    const client = new pg.Client(inject('postgresUrl') ?? '');
    await client.connect();
    await client.query(history(schema, 20_000));
    if (analyze) await client.query('analyze');
    await client.end();
  }

  it.each(['before', 'after'] as const)(
    'does not slow a new one, %s the planner has statistics',
    async (moment) => {
      if (server === undefined) throw new Error('no server');
      const stores = await server.open();
      const pool = new pg.Pool({ connectionString: inject('postgresUrl') ?? '', max: 1 });
      try {
        await fill(stores.schema, moment === 'after');
        const watched = await postgresStores({ pool, schema: stores.schema });
        // The numbers of one transaction are exact: the one connection is kept in it.
        await pool.query('begin');
        await live(watched);
        const { rows }: { rows: Rows } = await pool.query(
          `select relname, seq_scan::int as scans, coalesce(idx_tup_fetch, 0)::int as fetched
           from pg_stat_xact_user_tables where schemaname = $1 and seq_tup_read + coalesce(idx_tup_fetch, 0) > 0`,
          [stores.schema],
        );
        await pool.query('commit');
        await watched.close();
        expect(rows.length).toBeGreaterThan(5);
        // Small tables may be read from end to end; those that are full may not.
        const full = [
          'run',
          'run_event',
          'turn',
          'message',
          'conversation',
          'usage_entry',
          'audit',
        ];
        for (const { relname, scans, fetched } of rows) {
          if (!full.includes(String(relname))) continue;
          expect([relname, scans]).toEqual([relname, 0]);
          expect(fetched, `rows fetched of ${String(relname)}`).toBeLessThan(150);
        }
      } finally {
        await pool.end();
        await server.close(stores);
      }
    },
  );
});
