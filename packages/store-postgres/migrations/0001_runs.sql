-- Runs with all that a new owner needs. Times are Unix milliseconds by the clock of the database; payloads are `json`
-- (kept as they were sent), since nobody looks inside them here. No two indexes of a table begin with the same columns:
-- before the first statistics, the planner would not know which one to take.

-- Up Migration

create table run (
  run_id text primary key,
  incarnation text not null,
  tenant_id text not null,
  user_id text not null,
  conversation_id text not null,
  -- The key of its conversation in indexes and locks; see `lane_key`.
  lane bigint not null,
  request_id text,
  request_digest text,
  principal json not null,
  input json not null,
  options json not null,
  status text not null check (
    status in ('queued', 'running', 'waiting', 'cancelling', 'succeeded', 'partial', 'failed', 'cancelled')
  ),
  -- Its place among the runs of the conversation, and whether it comes first of those that have not ended.
  lane_no bigint generated always as identity,
  is_head boolean not null,
  epoch integer not null,
  segment integer not null default 0,
  cancel_requested boolean not null default false,
  owner text,
  -- The claim, release or pause that changed it last: the same one sent again is recognised when its answer was lost.
  verb_token text,
  lease_until bigint not null default 0,
  -- Owners lost since the last progress.
  takeovers integer not null default 0,
  -- When it was last queued, or given to an engine by a sweep.
  woken_at bigint not null,
  waiting_since bigint not null default 0,
  -- The first expiry among its pending confirmations.
  waiting_until bigint not null default 0,
  created_at bigint not null,
  deadline_ms bigint not null,
  deadline_at bigint not null,
  partial json,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  total_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  event_count integer not null default 0,
  last_cursor text,
  ending json,
  finished_at bigint,
  -- Whether its turns, calls and events were removed by the retention policy.
  is_compact boolean not null default false,
  check ((finished_at is null) = (status in ('queued', 'running', 'waiting', 'cancelling')))
) with (fillfactor = 80);

create unique index run_request on run (request_id, tenant_id, user_id) where request_id is not null;
create unique index run_head on run (tenant_id, user_id, conversation_id) where is_head and finished_at is null;
create index run_lane on run (lane, finished_at, lane_no);
-- What a sweep looks for. They hold runs that have not ended: however many ended ones there are, they stay small.
create index run_lease on run (lease_until) where status in ('running', 'cancelling');
create index run_waiting on run (waiting_until) where status = 'waiting';
create index run_queued on run (woken_at) where status = 'queued' and (is_head or cancel_requested);
create index run_deadline on run (deadline_at) where status = 'queued' and (is_head or cancel_requested);
-- What retention looks for.
create index run_finished on run (finished_at) where finished_at is not null;
create index run_whole on run (finished_at) where finished_at is not null and not is_compact;

create table run_event (
  run_id text not null references run on delete cascade,
  n integer not null,
  event json not null,
  primary key (run_id, n)
);

create table turn (
  run_id text not null references run on delete cascade,
  turn integer not null,
  body json not null,
  primary key (run_id, turn)
);

create table tool_call (
  run_id text not null references run on delete cascade,
  call_id text not null,
  call_no bigint generated always as identity,
  turn integer not null,
  index integer not null,
  model_call_id text not null,
  tool text not null,
  args json not null,
  args_digest text not null,
  definition_hash text not null,
  effect text not null check (effect in ('read', 'write_idempotent', 'write')),
  -- `confirm`, `waived:<rule>` or `grant:<id>`.
  permission text not null,
  status text not null check (
    status in ('planned', 'waiting', 'started', 'succeeded', 'failed', 'declined', 'unknown')
  ),
  starts integer not null default 0,
  started_by text,
  -- Who started it last, and who decided: the same start or decision sent again is recognised, as in `run`.
  start_token text,
  decide_token text,
  result json,
  confirmation text check (confirmation in ('pending', 'approved', 'declined', 'expired', 'consumed')),
  expires_at bigint,
  decided_at bigint,
  decided_by text,
  primary key (run_id, call_id),
  check ((confirmation is null) = (expires_at is null))
);

create table question (
  run_id text not null references run on delete cascade,
  request_id text not null,
  question_no bigint generated always as identity,
  asked json not null,
  asked_at bigint not null,
  answer json,
  answered_at bigint,
  answer_token text,
  primary key (run_id, request_id)
);

create table steer (
  run_id text not null references run on delete cascade,
  steer_id text not null,
  steer_no bigint generated always as identity,
  text text not null,
  turn integer,
  primary key (run_id, steer_id)
);

-- Down Migration

drop table steer, question, tool_call, turn, run_event, run;
