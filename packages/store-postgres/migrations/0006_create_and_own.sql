-- Creating runs and owning them.

-- Up Migration

-- Asks a run to end: its owner if it has one, else whoever claims it next. What was asked from the person counts as
-- declined. Returns the wake of a run that nobody works on.
create function cancel_run(r run, p_by text) returns json language plpgsql set search_path from current as $$
begin
  if r.finished_at is not null then return null; end if;
  -- Asked again: whoever was to be woken may not have been.
  if r.cancel_requested then
    return case when r.lease_until <= now_ms() then wake(r.run_id, r.segment) end;
  end if;
  perform decline_pending(r, p_by);
  if r.status in ('running', 'cancelling') then
    update run set cancel_requested = true, status = 'cancelling' where run_id = r.run_id;
    return case when r.lease_until <= now_ms() then wake(r.run_id, r.segment) end;
  end if;
  update run set cancel_requested = true where run_id = r.run_id;
  return case when r.status = 'waiting' then queue_again(r.run_id) else wake(r.run_id, r.segment) end;
end $$;

-- The runs of a conversation that were asked to end and that nobody has.
create function orphans(r run) returns json language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(wake(run_id, segment) order by lane_no), '[]') from run
    where lane = r.lane and finished_at is null and cancel_requested and lease_until <= now_ms()
      and tenant_id = r.tenant_id and user_id = r.user_id and conversation_id = r.conversation_id
  );
end $$;

-- What is said of a run that is new.
create function created_json(r run, p_messages integer, p_bytes bigint) returns json
language plpgsql stable set search_path from current as $$
begin
  if r.epoch = 0 then
    return json_build_object('kind', 'queued', 'createdAt', r.created_at, 'wake', orphans(r));
  end if;
  return json_build_object(
    'kind', 'claimed', 'createdAt', r.created_at, 'now', now_ms(), 'wake', '[]'::json,
    'history', history_of(r, p_messages, p_bytes)
  );
end $$;

-- The run of a request that was made before, or of the same id. The same incarnation is the same `create`, sent again
-- because its answer was lost.
create function known_run(
  p_run_id text, p_incarnation text, p_tenant text, p_user text, p_request_id text, p_request_digest text,
  p_messages integer, p_bytes bigint
) returns json language plpgsql set search_path from current as $$
declare
  r run;
begin
  if p_request_id is not null then
    select * into r from run where tenant_id = p_tenant and user_id = p_user and request_id = p_request_id;
  end if;
  if r.run_id is null then
    select * into r from run where run_id = p_run_id;
    if not found then return null; end if;
    if r.incarnation <> p_incarnation then return '{"kind": "request_conflict"}'; end if;
  end if;
  if r.incarnation = p_incarnation then return created_json(r, p_messages, p_bytes); end if;
  if r.request_digest is distinct from p_request_digest then return '{"kind": "request_conflict"}'; end if;
  return json_build_object('kind', 'existing', 'run', run_json(r));
end $$;

create function create_run(
  p_run_id text, p_incarnation text, p_tenant text, p_user text, p_conversation text,
  p_request_id text, p_request_digest text, p_principal json, p_input json, p_options json,
  p_deadline_ms bigint, p_on_busy text, p_queue_limit integer, p_owner text, p_ttl_ms bigint,
  p_messages integer, p_bytes bigint, p_events json
) returns json language plpgsql set search_path from current as $$
declare
  t bigint;
  p_lane bigint := lane_key(p_tenant, p_user, p_conversation);
  known json;
  ahead integer;
  places integer;
  r run;
begin
  perform pg_advisory_xact_lock(p_lane);
  select count(*) into ahead from run
  where lane = p_lane and finished_at is null
    and tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  if ahead > 0 then
    known := known_run(
      p_run_id, p_incarnation, p_tenant, p_user, p_request_id, p_request_digest, p_messages, p_bytes
    );
    if known is not null then return known; end if;
    if p_on_busy = 'refuse' then return '{"kind": "conversation_busy"}'; end if;
    -- Superseding needs a place behind the run that has yet to end, even where nothing may queue.
    places := case when p_on_busy = 'supersede' then greatest(p_queue_limit, 1) else p_queue_limit end;
    if ahead > places then return '{"kind": "queue_full"}'; end if;
  end if;
  t := now_ms();
  insert into run (
    run_id, incarnation, tenant_id, user_id, conversation_id, lane, request_id, request_digest, principal, input, options,
    status, is_head, epoch, owner, lease_until, woken_at, created_at, deadline_ms, deadline_at, event_count, last_cursor
  ) values (
    p_run_id, p_incarnation, p_tenant, p_user, p_conversation, p_lane, p_request_id, p_request_digest,
    p_principal, p_input, p_options,
    case when ahead = 0 then 'running' else 'queued' end, ahead = 0, case when ahead = 0 then 1 else 0 end,
    case when ahead = 0 then p_owner end, case when ahead = 0 then t + p_ttl_ms else 0 end,
    t, t, p_deadline_ms, t + p_deadline_ms,
    case when ahead = 0 then json_array_length(p_events) else 0 end, case when ahead = 0 then last_cursor(p_events) end
  ) on conflict do nothing
  returning * into r;
  -- The same request was made before, and has ended or is in another conversation.
  if not found then
    return known_run(
      p_run_id, p_incarnation, p_tenant, p_user, p_request_id, p_request_digest, p_messages, p_bytes
    );
  end if;
  if ahead = 0 then
    insert into run_event (run_id, n, event)
    select p_run_id, ordinality, value from json_array_elements(p_events) with ordinality;
    perform add_question(r);
  elsif p_on_busy = 'supersede' then
    perform supersede(r);
  end if;
  return created_json(r, p_messages, p_bytes);
end $$;

-- Everything that is ahead in the conversation gives way.
create function supersede(r run) returns void language plpgsql set search_path from current as $$
declare
  old run;
begin
  for old in
    select * from run
    where lane = r.lane and finished_at is null and run_id <> r.run_id
      and tenant_id = r.tenant_id and user_id = r.user_id and conversation_id = r.conversation_id
    order by lane_no
    for no key update
  loop
    perform cancel_run(old, r.user_id);
  end loop;
end $$;

-- Takes a run that nobody has, under a new epoch.
create function claim_run(
  p_run_id text, p_owner text, p_ttl_ms bigint, p_token text, p_messages integer, p_bytes bigint
) returns json
language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  r run;
begin
  update run set
    takeovers = takeovers + case when status = 'queued' then 0 else 1 end,
    epoch = epoch + 1,
    status = case when cancel_requested then 'cancelling' else 'running' end,
    owner = p_owner,
    verb_token = p_token,
    lease_until = t + p_ttl_ms
  where run_id = p_run_id and verb_token is distinct from p_token and (
    (status = 'queued' and (is_head or cancel_requested))
    or (status in ('running', 'cancelling') and lease_until <= t)
  )
  returning * into r;
  if not found then
    -- Sent again because the answer was lost: the run is the asker's.
    update run set lease_until = t + p_ttl_ms
    where run_id = p_run_id and verb_token = p_token and status in ('running', 'cancelling')
    returning * into r;
  end if;
  if not found then return null; end if;
  return json_build_object(
    'run', run_json(r), 'takeovers', r.takeovers, 'now', now_ms(), 'history', history_of(r, p_messages, p_bytes)
  );
end $$;

-- Prolongs the leases that are still held.
create function renew_leases(p_fences json, p_ttl_ms bigint) returns json
language plpgsql set search_path from current as $$
declare
  renewals json;
begin
  -- Locked in one order, so that renewals of several processes cannot wait for each other in a circle.
  perform from run r join json_to_recordset(p_fences) f ("runId" text, epoch integer) on r.run_id = f."runId"
  where r.epoch = f.epoch and r.status in ('running', 'cancelling')
  order by r.run_id for no key update of r;
  with renewed as (
    update run r set lease_until = now_ms() + p_ttl_ms
    from json_to_recordset(p_fences) f ("runId" text, epoch integer)
    where r.run_id = f."runId" and r.epoch = f.epoch and r.status in ('running', 'cancelling')
    returning r.run_id, r.cancel_requested
  )
  select coalesce(json_agg(json_build_object(
    'runId', run_id, 'cancelRequested', cancel_requested,
    'steerCount', (select count(*) from steer s where s.run_id = renewed.run_id),
    'answerCount', (select count(*) from question q where q.run_id = renewed.run_id and q.answered_at is not null)
  )), '[]') into renewals from renewed;
  return renewals;
end $$;

create function release_run(p_run_id text, p_epoch integer, p_token text) returns json
language plpgsql set search_path from current as $$
declare
  w json;
begin
  select wake(run_id, segment) into w from run
  where run_id = p_run_id and epoch = p_epoch and status = 'queued' and verb_token = p_token;
  if found then return json_build_array(w); end if;
  perform owned_run(p_run_id, p_epoch);
  update run set verb_token = p_token where run_id = p_run_id;
  return json_build_array(queue_again(p_run_id));
end $$;

-- What time does. Rows that somebody works on at this moment are left to the next sweep.
create function sweep_runs(p_queued_for_ms bigint, p_limit integer) returns json
language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  r run;
  wakes json[] := '{}';
begin
  for r in
    select * from run where status = 'waiting' and waiting_until <= t
    order by waiting_until limit p_limit for no key update skip locked
  loop
    perform expire_call(r, c) from tool_call c
    where c.run_id = r.run_id and c.confirmation = 'pending' and c.expires_at <= t;
    wakes := wakes || wake_if_decided(r);
  end loop;
  for r in
    select * from run
    where status in ('running', 'cancelling') and lease_until <= t
      and (woken_at <= t - p_queued_for_ms or woken_at < lease_until)
    order by lease_until limit p_limit - cardinality(wakes) for no key update skip locked
  loop
    -- Not again with the next sweep: the engine has it, and others must get their turn under the limit.
    -- A new segment: an engine may still take that of the lost owner for running.
    update run set woken_at = t, segment = segment + 1 where run_id = r.run_id;
    wakes := wakes || wake(r.run_id, r.segment + 1);
  end loop;
  for r in
    select * from run
    where status = 'queued' and (is_head or cancel_requested)
      and (woken_at <= t - p_queued_for_ms or deadline_at <= t)
    order by woken_at limit p_limit - cardinality(wakes) for no key update skip locked
  loop
    update run set woken_at = t where run_id = r.run_id;
    wakes := wakes || wake(r.run_id, r.segment);
  end loop;
  return array_to_json(wakes);
end $$;

-- Down Migration

drop function sweep_runs, release_run, renew_leases, claim_run, supersede, create_run, known_run, created_json, orphans,
  cancel_run;
