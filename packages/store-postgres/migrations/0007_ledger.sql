-- The log and the ledger: what the owner of a run writes while it works.

-- Up Migration

-- Whether these events were stored before: they are sent again because the answer was lost. Others may have followed.
create function has_events(p_run_id text, p_events json) returns boolean
language plpgsql stable set search_path from current as $$
begin
  return exists (
    select from run_event where run_id = p_run_id and event ->> 'cursor' = last_cursor(p_events)
  );
end $$;

create function append_events(p_run_id text, p_epoch integer, p_events json) returns void
language plpgsql set search_path from current as $$
declare
  r run := owned_run(p_run_id, p_epoch);
begin
  if has_events(p_run_id, p_events) then return; end if;
  perform add_events(r, p_events);
  update run set
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
end $$;

create function save_partial(p_run_id text, p_epoch integer, p_partial json) returns void
language plpgsql set search_path from current as $$
begin
  perform owned_run(p_run_id, p_epoch);
  update run set partial = p_partial where run_id = p_run_id;
end $$;

-- Commits a model turn and plans its calls; nothing when the turn was committed before.
create function commit_turn(
  p_run_id text, p_epoch integer, p_turn integer, p_body json, p_usage json, p_reservation text, p_calls json, p_events json
) returns void language plpgsql set search_path from current as $$
declare
  r run := owned_run(p_run_id, p_epoch);
  u record;
begin
  insert into turn (run_id, turn, body) values (p_run_id, p_turn, p_body) on conflict do nothing;
  if not found then return; end if;
  insert into tool_call (
    run_id, call_id, turn, index, model_call_id, tool, args, args_digest, definition_hash, effect, permission, status
  )
  select p_run_id, c ->> 'callId', (c ->> 'turn')::integer, (c ->> 'index')::integer, c ->> 'modelCallId', c ->> 'tool',
    c -> 'args', c ->> 'argsDigest', c ->> 'definitionHash', c ->> 'effect', c ->> 'authorization', 'planned'
  from json_array_elements(p_calls) c;
  select * into u from json_to_record(coalesce(p_usage, '{}')) u (
    "inputTokens" bigint, "outputTokens" bigint, "totalTokens" bigint, "cachedTokens" bigint, "reasoningTokens" bigint
  );
  if p_usage is not null then
    insert into usage_entry as e (tenant_id, user_id, reservation_id, owner, at, tokens, is_settled)
    values (r.tenant_id, r.user_id, p_reservation, owner_key(r.tenant_id, r.user_id), now_ms(), u."totalTokens", true)
    on conflict (tenant_id, user_id, reservation_id)
      do update set tokens = excluded.tokens, is_settled = true where not e.is_settled;
  end if;
  perform add_events(r, p_events);
  update run set
    partial = null,
    takeovers = 0,
    input_tokens = input_tokens + coalesce(u."inputTokens", 0),
    output_tokens = output_tokens + coalesce(u."outputTokens", 0),
    total_tokens = total_tokens + coalesce(u."totalTokens", 0),
    cached_tokens = cached_tokens + coalesce(u."cachedTokens", 0),
    reasoning_tokens = reasoning_tokens + coalesce(u."reasoningTokens", 0),
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
end $$;

-- Why a call may not start; null when it may. What lets it start is in `started_by` of the ledger afterwards.
create function start_refusal(c tool_call, p_args_digest text, p_definition_hash text) returns text
language plpgsql volatile set search_path from current as $$
begin
  return (
    select case
      when c.definition_hash <> p_definition_hash then 'tool_changed'
      when c.args_digest <> p_args_digest then 'args_mismatch'
      when c.permission <> 'confirm' then null
      when c.confirmation = 'expired' then 'confirmation_expired'
      when c.confirmation = 'consumed' and c.starts > 0 then null
      when c.confirmation is distinct from 'approved' then 'confirmation_required'
      when c.expires_at <= now_ms() then 'confirmation_expired'
    end
  );
end $$;

-- The only door to a side effect.
create function start_call(
  p_run_id text, p_epoch integer, p_call_id text, p_args_digest text, p_definition_hash text, p_token text, p_events json
) returns json language plpgsql set search_path from current as $$
declare
  r run := owned_run(p_run_id, p_epoch);
  c tool_call;
  refusal text;
begin
  select * into c from tool_call where run_id = p_run_id and call_id = p_call_id;
  if not found then return '{"kind": "refused", "code": "not_found"}'; end if;
  if c.result is not null then return json_build_object('kind', 'ended', 'result', c.result); end if;
  -- Sent again because the answer was lost: whoever asks has not begun the effect.
  if c.status = 'started' and c.start_token = p_token then
    return json_build_object('kind', 'go', 'attempt', c.starts);
  end if;
  -- Started before, may have had its effect, and cannot be repeated under its key.
  if c.status = 'unknown' or (
    c.starts > 0 and c.effect <> 'read' and (c.effect = 'write' or c.definition_hash <> p_definition_hash)
  ) then
    if c.status <> 'unknown' then
      -- Its result is left open for what `finish_call` has to tell the model.
      update tool_call set status = 'unknown' where run_id = p_run_id and call_id = p_call_id;
      perform audit_run(r, 'call.unknown', json_build_object('callId', c.call_id, 'tool', c.tool));
    end if;
    return '{"kind": "unknown"}';
  end if;
  refusal := start_refusal(c, p_args_digest, p_definition_hash);
  if refusal is not null then
    if refusal = 'confirmation_expired' and c.confirmation = 'approved' then perform expire_call(r, c); end if;
    perform audit_run(r, 'call.refused', json_build_object('callId', c.call_id, 'code', refusal));
    return json_build_object('kind', 'refused', 'code', refusal);
  end if;
  update tool_call set
    status = 'started',
    starts = starts + 1,
    start_token = p_token,
    started_by = case when permission = 'confirm' then 'confirmed:' || decided_by else permission end,
    confirmation = case when confirmation is not null then 'consumed' end
  where run_id = p_run_id and call_id = p_call_id
  returning * into c;
  perform audit_run(r, 'call.started', json_build_object(
    'callId', c.call_id, 'tool', c.tool, 'argsDigest', c.args_digest, 'definitionHash', c.definition_hash,
    'attempt', c.starts, 'startedBy', c.started_by
  ));
  perform add_events(r, p_events);
  update run set
    -- A restart is no progress: a call that kills every owner must not hide that by being started.
    takeovers = case when c.starts = 1 then 0 else takeovers end,
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
  return json_build_object('kind', 'go', 'attempt', c.starts);
end $$;

-- Stores how a call ended, unless that is known already. Returns whether it is this result that counts.
create function finish_call(p_run_id text, p_epoch integer, p_call_id text, p_result json, p_events json) returns json
language plpgsql set search_path from current as $$
declare
  r run := owned_run(p_run_id, p_epoch);
  c tool_call;
begin
  select * into c from tool_call where run_id = p_run_id and call_id = p_call_id;
  if not found then
    raise exception 'Run % has no call %.', p_run_id, p_call_id using errcode = 'ST002';
  end if;
  if c.result is not null then return to_json(has_events(p_run_id, p_events)); end if;
  update tool_call set status = p_result ->> 'outcome', result = p_result
  where run_id = p_run_id and call_id = p_call_id;
  perform audit_run(r, 'call.finished', json_build_object(
    'callId', c.call_id, 'tool', c.tool, 'outcome', p_result ->> 'outcome'
  ));
  perform add_events(r, p_events);
  update run set
    takeovers = 0,
    event_count = event_count + json_array_length(p_events),
    last_cursor = coalesce(last_cursor(p_events), last_cursor)
  where run_id = p_run_id;
  return 'true';
end $$;

-- Down Migration

drop function finish_call, start_call, start_refusal, commit_turn, save_partial, append_events, has_events;
