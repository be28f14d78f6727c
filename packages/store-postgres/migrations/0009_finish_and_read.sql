-- The end of a run, and reading runs.

-- Up Migration

-- The next run of the conversation comes first. Its time begins now: waiting behind others is not its own doing.
create function promote_next(ended run) returns json language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  next run;
begin
  -- It was cancelled while it waited for its turn.
  if not ended.is_head then return '[]'; end if;
  update run set is_head = true, woken_at = t, deadline_at = t + deadline_ms
  where run_id = (
    select run_id from run
    where lane = ended.lane and finished_at is null
      and tenant_id = ended.tenant_id and user_id = ended.user_id and conversation_id = ended.conversation_id
    order by lane_no limit 1
  )
  returning * into next;
  if not found then return '[]'; end if;
  perform add_question(next);
  return json_build_array(wake(next.run_id, next.segment));
end $$;

-- The wake of the run that comes first in the conversation of an ended one, while nobody has it.
create function head_wake(ended run) returns json language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(wake(run_id, segment)), '[]') from run
    where lane = ended.lane and finished_at is null and is_head and status = 'queued'
      and tenant_id = ended.tenant_id and user_id = ended.user_id and conversation_id = ended.conversation_id
  );
end $$;

create function finish_run(p_run_id text, p_epoch integer, p_end json, p_message json, p_events json) returns json
language plpgsql set search_path from current as $$
declare
  r run;
  t bigint;
begin
  select * into r from run where run_id = p_run_id;
  perform pg_advisory_xact_lock(r.lane);
  -- Sent again because the answer was lost.
  if r.finished_at is not null and r.epoch = p_epoch and r.last_cursor = last_cursor(p_events) then
    return head_wake(r);
  end if;
  r := owned_run(p_run_id, p_epoch);
  -- Steering locks the run as well: what was accepted before is seen here, what comes later finds an ended run.
  if p_end ->> 'status' = 'succeeded' and exists (select from steer where run_id = p_run_id and turn is null) then
    return '"steered"';
  end if;
  t := now_ms();
  perform expire_call(r, c) from tool_call c where c.run_id = p_run_id and c.confirmation = 'pending';
  if p_message is not null then
    perform add_run_message(r, 'assistant', p_message -> 'content', p_message -> 'turns');
  end if;
  perform add_events(r, p_events);
  update run set
    status = p_end ->> 'status',
    ending = p_end,
    finished_at = t,
    partial = null,
    owner = null,
    lease_until = 0,
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
  perform audit_run(r, 'run.ended', json_build_object(
    'status', p_end -> 'status', 'finishReason', p_end -> 'finishReason', 'error', p_end -> 'error' -> 'code'
  ));
  return promote_next(r);
end $$;

-- The run, if it belongs to the owner; any run for null.
create function load_run(p_run_id text, p_tenant text, p_user text) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select run_json(r) from run r
    where r.run_id = p_run_id and (p_tenant is null or (r.tenant_id = p_tenant and r.user_id = p_user))
  );
end $$;

create function run_heads(p_run_ids json) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(json_build_object(
      'runId', run_id, 'status', status, 'epoch', epoch, 'eventCount', event_count
    )), '[]')
    from run where run_id in (select json_array_elements_text(p_run_ids))
  );
end $$;

create function read_events(p_run_id text, p_after integer, p_limit integer) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(json_build_object('n', n, 'event', event) order by n), '[]')
    from (
      select n, event from run_event where run_id = p_run_id and n > p_after order by n limit p_limit
    ) e
  );
end $$;

-- Down Migration

drop function read_events, run_heads, load_run, finish_run, head_wake, promote_next;
