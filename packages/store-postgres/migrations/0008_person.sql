-- What people decide, answer and say.

-- Up Migration

create function audit_confirmation(r run, c tool_call, p_reason text) returns void
language plpgsql set search_path from current as $$
begin
  perform audit_run(r, 'confirmation.' || c.confirmation, case when p_reason is null
    then json_build_object(
      'callId', c.call_id, 'argsDigest', c.args_digest, 'definitionHash', c.definition_hash, 'by', c.decided_by
    )
    else json_build_object(
      'callId', c.call_id, 'argsDigest', c.args_digest, 'definitionHash', c.definition_hash, 'by', c.decided_by,
      'reason', p_reason
    ) end);
end $$;

-- Marks a confirmation as not decided, or not used, in time.
create function expire_call(r run, c tool_call) returns void language plpgsql set search_path from current as $$
begin
  update tool_call set confirmation = 'expired' where run_id = c.run_id and call_id = c.call_id returning * into c;
  perform audit_confirmation(r, c, null);
end $$;

-- Declines every pending confirmation of a run that is asked to end.
create function decline_pending(r run, p_by text) returns void language plpgsql set search_path from current as $$
declare
  c tool_call;
begin
  for c in
    update tool_call set confirmation = 'declined', decided_at = now_ms(), decided_by = p_by
    where run_id = r.run_id and confirmation = 'pending'
    returning *
  loop
    perform audit_confirmation(r, c, 'cancelled');
  end loop;
end $$;

-- Queues a waiting run again when nothing is left to decide; otherwise notes until when it may wait. Returns wakes.
create function wake_if_decided(r run) returns json[] language plpgsql set search_path from current as $$
declare
  until bigint;
begin
  if r.status <> 'waiting' then return '{}'; end if;
  select min(expires_at) into until from tool_call where run_id = r.run_id and confirmation = 'pending';
  if until is null then return array[queue_again(r.run_id)]; end if;
  update run set waiting_until = until where run_id = r.run_id;
  return '{}';
end $$;

-- Asks for confirmations and releases the run, unless no person has anything left to decide. Returns whether it waits.
create function pause_run(p_run_id text, p_epoch integer, p_ask json, p_events json, p_token text) returns json
language plpgsql set search_path from current as $$
declare
  r run;
  t bigint;
  missing text;
  until bigint;
begin
  -- Sent again because the answer was lost: it waits, or did so, unless it went on at once.
  select * into r from run where run_id = p_run_id and epoch = p_epoch and verb_token = p_token;
  if found then return to_json(r.status not in ('running', 'cancelling')); end if;
  r := owned_run(p_run_id, p_epoch);
  t := now_ms();
  select a ->> 'callId' into missing from json_array_elements(p_ask) a
  where not exists (
    select from tool_call
    where run_id = p_run_id and call_id = a ->> 'callId' and result is null and permission = 'confirm'
  );
  if found then
    raise exception 'Run % has no call % to confirm.', p_run_id, missing using errcode = 'ST002';
  end if;
  update tool_call c set status = 'waiting', confirmation = 'pending', expires_at = t + (a ->> 'decideWithinMs')::bigint
  from json_array_elements(p_ask) a
  where c.run_id = p_run_id and c.call_id = a ->> 'callId' and c.confirmation is null;
  perform add_events(r, p_events);
  if r.cancel_requested then perform decline_pending(r, r.user_id); end if;
  select min(expires_at) into until from tool_call where run_id = p_run_id and confirmation = 'pending';
  update run set
    verb_token = p_token,
    takeovers = 0,
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
  if until is null then return 'false'; end if;
  update run set
    status = 'waiting', owner = null, lease_until = 0, waiting_since = t, waiting_until = until
  where run_id = p_run_id;
  return 'true';
end $$;

-- Decides a confirmation, once.
create function decide_call(
  p_run_id text, p_tenant text, p_user text, p_call_id text, p_approve boolean, p_args_digest text,
  p_use_within_ms bigint, p_token text
) returns json language plpgsql set search_path from current as $$
declare
  r run;
  c tool_call;
  t bigint;
  refusal text;
begin
  select * into r from run where run_id = p_run_id and tenant_id = p_tenant and user_id = p_user for no key update;
  select * into c from tool_call where run_id = r.run_id and call_id = p_call_id;
  -- Sent again because the answer was lost.
  if c.decide_token = p_token then
    return json_build_object(
      'kind', 'decided', 'status', case when p_approve then 'approved' else 'declined' end,
      'wake', case when r.status = 'queued' then json_build_array(wake(r.run_id, r.segment)) else '[]'::json end
    );
  end if;
  t := now_ms();
  if c.confirmation = 'pending' and c.expires_at <= t then
    perform expire_call(r, c);
    return json_build_object(
      'kind', 'refused', 'code', 'confirmation_expired', 'wake', array_to_json(wake_if_decided(r))
    );
  end if;
  refusal := case
    when c.confirmation is null then 'not_found'
    when c.confirmation = 'expired' then 'confirmation_expired'
    when c.confirmation <> 'pending' then 'already_decided'
    when c.args_digest <> p_args_digest then 'args_mismatch'
  end;
  if refusal is not null then
    return json_build_object('kind', 'refused', 'code', refusal, 'wake', '[]'::json);
  end if;
  update tool_call set
    confirmation = case when p_approve then 'approved' else 'declined' end,
    expires_at = case when p_approve then t + p_use_within_ms else expires_at end,
    decided_at = t,
    decided_by = p_user,
    decide_token = p_token
  where run_id = p_run_id and call_id = p_call_id
  returning * into c;
  perform audit_confirmation(r, c, null);
  return json_build_object(
    'kind', 'decided', 'status', c.confirmation, 'wake', array_to_json(wake_if_decided(r))
  );
end $$;

-- Records a question to the person; nothing when it was asked before.
create function request_input(p_run_id text, p_epoch integer, p_request_id text, p_asked json, p_events json)
returns void language plpgsql set search_path from current as $$
declare
  r run := owned_run(p_run_id, p_epoch);
begin
  insert into question (run_id, request_id, asked, asked_at) values (p_run_id, p_request_id, p_asked, now_ms())
  on conflict do nothing;
  if not found then return; end if;
  perform add_events(r, p_events);
  update run set
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
end $$;

create function answer_input(
  p_run_id text, p_tenant text, p_user text, p_request_id text, p_answer json, p_token text
) returns json
language plpgsql set search_path from current as $$
declare
  r run;
begin
  select * into r from run where run_id = p_run_id and tenant_id = p_tenant and user_id = p_user for no key update;
  if not exists (select from question where run_id = r.run_id and request_id = p_request_id) then
    return '"not_found"';
  end if;
  update question set answer = p_answer, answered_at = coalesce(answered_at, now_ms()), answer_token = p_token
  where run_id = p_run_id and request_id = p_request_id
    and ((answered_at is null and r.finished_at is null) or answer_token = p_token);
  return case when found then '"answered"' else '"already_decided"' end;
end $$;

-- Adds a text for the next turn; once per id.
create function steer_run(p_run_id text, p_tenant text, p_user text, p_steer_id text, p_text text) returns json
language plpgsql set search_path from current as $$
declare
  r run;
begin
  select * into r from run where run_id = p_run_id and tenant_id = p_tenant and user_id = p_user for no key update;
  if not found then return '"not_found"'; end if;
  if r.finished_at is not null or r.input ->> 'kind' = 'call' then return '"not_waiting"'; end if;
  insert into steer (run_id, steer_id, text) values (p_run_id, p_steer_id, p_text) on conflict do nothing;
  return '"ok"';
end $$;

-- Marks steers as given to the model in a turn.
create function apply_steers(p_run_id text, p_epoch integer, p_steer_ids json, p_turn integer, p_events json) returns void
language plpgsql set search_path from current as $$
begin
  perform owned_run(p_run_id, p_epoch);
  update steer set turn = p_turn
  where run_id = p_run_id and turn is null and steer_id in (select json_array_elements_text(p_steer_ids));
  perform append_events(p_run_id, p_epoch, p_events);
end $$;

create function request_cancel(p_run_id text, p_tenant text, p_user text) returns json
language plpgsql set search_path from current as $$
declare
  r run;
  w json;
begin
  select * into r from run where run_id = p_run_id and tenant_id = p_tenant and user_id = p_user for no key update;
  if not found then return '{"found": false, "wake": []}'; end if;
  w := cancel_run(r, p_user);
  return json_build_object('found', true, 'wake', case when w is null then '[]'::json else json_build_array(w) end);
end $$;

-- Down Migration

drop function request_cancel, apply_steers, steer_run, answer_input, request_input, decide_call, pause_run,
  wake_if_decided, decline_pending, expire_call, audit_confirmation;
