// One run in a database full of ended ones beside one in an empty database, in turns.
import { quantile } from '../lib/statistics.mjs';
import { connect } from './server-load.mjs';
import { openSubject } from './subjects.mjs';

/** Runs that have ended, of a thousand users with ten conversations each, with what they left behind. */
const history = (count) => `
  insert into run (
    run_id, incarnation, tenant_id, user_id, conversation_id, lane, request_id, request_digest, principal, input, options,
    status, is_head, epoch, woken_at, created_at, deadline_ms, deadline_at, finished_at, ending, event_count, last_cursor
  )
  select 'old-' || n, '', 'default', u, c, lane_key('default', u, c), 'request-' || n, '', '{"userId":"u"}',
    '{"kind":"message","content":"Hello, how are you today?"}', '{}', 'succeeded', true, 1, n, n, 1, n, n,
    '{"status":"succeeded","text":"Well.","finishReason":"stop","error":null}', 1, '1-9'
  from generate_series(1, ${count}) n,
    lateral (select 'user-' || n % 1000 as u, 'c-' || n % 10000 as c) x;
  insert into run_event select run_id, 1, '{"type":"complete","cursor":"1-9"}' from run;
  insert into turn select run_id, 1, '{"turn":1,"message":{"role":"assistant","content":"Well."}}' from run;
  insert into usage_entry
  select tenant_id, user_id, run_id, owner_key(tenant_id, user_id), created_at, 120, true from run;
  insert into conversation (tenant_id, user_id, conversation_id, owner, created_at, updated_at, touched, message_count)
  select tenant_id, user_id, conversation_id, owner_key(tenant_id, user_id), 1, 1, nextval('conversation_touch'), 2 * count(*)
  from run group by 1, 2, 3;
  insert into message (conversation_no, place, message_id, run_id, role, content, bytes, at)
  select conversation_no, n, conversation_no || '-' || n, 'old', 'user', '"Hello, how are you?"', 21, 1
  from conversation, generate_series(1, message_count) n;
  insert into audit select run_id, 1, tenant_id, user_id, 'run.ended', '{}', 1, '' from run;`;

/** Fills one schema, leaves another one empty, and makes runs in both in turns. */
export async function fullTable(empty, { runs, ...servers }) {
  const full = await openSubject('postgres', { ...servers, schema: 'crowded' });
  const client = await connect(servers.postgresUrl);
  const start = performance.now();
  await client.query(`set search_path to crowded; ${history(runs)}`);
  const seconds = (performance.now() - start) / 1_000;
  const runTimes = await inTurns(empty, full, 'before the planner has statistics');
  await client.query('analyze');
  runTimes.push(...(await inTurns(empty, full, 'with statistics')));
  const { rows: tables } = await client.query(
    `select relname as name, n_tup_upd::int as updates, n_tup_hot_upd::int as hot,
       pg_size_pretty(pg_total_relation_size(relid)) as size
     from pg_stat_user_tables where schemaname = 'crowded' order by pg_total_relation_size(relid) desc limit 8`,
  );
  await client.end();
  await full.close();
  return { seconds, runTimes, tables };
}

async function inTurns(empty, full, when) {
  const times = { empty: [], full: [] };
  for (let run = 0; run < 350; run += 1) {
    const both = [await oneRun(empty.assistant, run), await oneRun(full.assistant, run)];
    if (run < 50) continue;
    times.empty.push(both[0]);
    times.full.push(both[1]);
  }
  return Object.entries(times).map(([name, ms]) => ({
    name: `${name} tables, ${when}`,
    ms50: quantile(ms, 0.5),
    ms95: quantile(ms, 0.95),
  }));
}

/** Milliseconds of a run in a conversation that has a past, with a request id. */
async function oneRun(assistant, n) {
  const start = performance.now();
  const about = {
    userId: `user-${n}`,
    conversationId: `c-${n}`,
    requestId: `bench-${Math.random()}`,
  };
  for await (const event of assistant.run('Go', about)) {
    if (event.type === 'error') throw new Error(event.message);
  }
  return performance.now() - start;
}
