-- What the verbs have in common. Every function keeps the search path of its creation, so callers cannot redirect it.

-- Up Migration

create function now_ms() returns bigint language sql volatile as $$
  select floor(extract(epoch from clock_timestamp()) * 1000)::bigint
$$;

-- The run that a fence gives a right to, locked to the end of the transaction: no one else can claim it meanwhile.
create function owned_run(p_run_id text, p_epoch integer) returns run
language plpgsql set search_path from current as $$
declare
  r run;
begin
  select * into r from run
  where run_id = p_run_id and epoch = p_epoch and status in ('running', 'cancelling')
  for no key update;
  if not found then
    raise exception 'Run % is not owned under epoch %; stop working on it.', p_run_id, p_epoch
      using errcode = 'ST001';
  end if;
  return r;
end $$;

create function wake(p_run_id text, p_segment integer) returns json language sql immutable as $$
  select json_build_object('runId', p_run_id, 'segment', p_segment)
$$;

-- Short keys for owners and conversations. Wherever one is used the names are compared as well.
create function owner_key(p_tenant text, p_user text) returns bigint language sql immutable as $$
  select hashtextextended(quote_literal(p_tenant) || quote_literal(p_user), 0)
$$;

create function lane_key(p_tenant text, p_user text, p_conversation text) returns bigint language sql immutable as $$
  select hashtextextended(quote_literal(p_tenant) || quote_literal(p_user) || quote_literal(p_conversation), 0)
$$;

-- Inserts events behind those that the run has; the caller updates the count in the run.
create function add_events(r run, p_events json) returns void
language plpgsql set search_path from current as $$
begin
  insert into run_event (run_id, n, event)
  select r.run_id, r.event_count + ordinality, value
  from json_array_elements(p_events) with ordinality;
end $$;

create function last_cursor(p_events json) returns text language sql immutable as $$
  select p_events -> -1 ->> 'cursor'
$$;

-- Takes the run from whoever has it and makes it claimable. Time spent waiting for a person is given back to it.
create function queue_again(p_run_id text) returns json
language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  w json;
begin
  update run set
    status = 'queued',
    segment = segment + 1,
    owner = null,
    lease_until = 0,
    woken_at = t,
    deadline_at = deadline_at + case when status = 'waiting' then t - waiting_since else 0 end
  where run_id = p_run_id
  returning wake(run_id, segment) into w;
  return w;
end $$;

create function call_json(c tool_call) returns json language sql immutable as $$
  select json_build_object(
    'callId', c.call_id, 'turn', c.turn, 'index', c.index, 'modelCallId', c.model_call_id, 'tool', c.tool,
    'args', c.args, 'argsDigest', c.args_digest, 'definitionHash', c.definition_hash, 'effect', c.effect,
    'authorization', c.permission, 'status', c.status, 'starts', c.starts, 'startedBy', c.started_by,
    'result', c.result,
    'confirmation', case when c.confirmation is not null then json_build_object(
      'callId', c.call_id, 'argsDigest', c.args_digest, 'definitionHash', c.definition_hash,
      'status', c.confirmation, 'expiresAt', c.expires_at, 'decidedAt', c.decided_at, 'decidedBy', c.decided_by
    ) end
  )
$$;

-- The record as a new owner needs it.
create function run_json(r run) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select json_build_object(
      'runId', r.run_id, 'incarnation', r.incarnation,
      'tenantId', r.tenant_id, 'userId', r.user_id, 'conversationId', r.conversation_id,
      'principal', r.principal, 'input', r.input, 'options', r.options, 'requestId', r.request_id,
      'status', r.status, 'epoch', r.epoch, 'segment', r.segment, 'cancelRequested', r.cancel_requested,
      'createdAt', r.created_at, 'deadlineAt', r.deadline_at,
      'turns', (select coalesce(json_agg(t.body order by t.turn), '[]') from turn t where t.run_id = r.run_id),
      'calls', (select coalesce(json_agg(call_json(c) order by c.call_no), '[]') from tool_call c where c.run_id = r.run_id),
      'inputs', (
        select coalesce(json_agg(json_build_object(
          'asked', q.asked, 'askedAt', q.asked_at, 'answer', q.answer, 'answeredAt', q.answered_at
        ) order by q.question_no), '[]')
        from question q where q.run_id = r.run_id
      ),
      'steers', (
        select coalesce(json_agg(json_build_object(
          'steerId', s.steer_id, 'text', s.text, 'turn', s.turn
        ) order by s.steer_no), '[]')
        from steer s where s.run_id = r.run_id
      ),
      'partial', r.partial,
      'usage', json_build_object(
        'inputTokens', r.input_tokens, 'outputTokens', r.output_tokens, 'totalTokens', r.total_tokens,
        'cachedTokens', r.cached_tokens, 'reasoningTokens', r.reasoning_tokens
      ),
      'eventCount', r.event_count, 'lastCursor', r.last_cursor, 'end', r.ending
    )
  );
end $$;

-- Down Migration

drop function run_json, call_json, queue_again, last_cursor, add_events, lane_key, owner_key, wake, owned_run, now_ms;
