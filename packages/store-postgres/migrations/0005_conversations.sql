-- Messages by conversation.

-- Up Migration

-- Adds a message that is not there yet, creating its conversation. The row of the conversation is locked before a place
-- is given: messages get theirs in the order in which they are committed.
create function add_message(
  p_tenant text, p_user text, p_conversation text,
  p_message_id text, p_run_id text, p_role text, p_content json, p_turns json
) returns void language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  c conversation;
begin
  insert into conversation as kept (
    tenant_id, user_id, conversation_id, owner, created_at, updated_at, touched, message_count
  ) values (
    p_tenant, p_user, p_conversation, owner_key(p_tenant, p_user), t, t, nextval('conversation_touch'), 1
  )
  on conflict (tenant_id, user_id, conversation_id) do update
    set updated_at = t, touched = excluded.touched, message_count = kept.message_count + 1
  returning * into c;
  insert into message (conversation_no, place, message_id, run_id, role, content, turns, bytes, at)
  values (
    c.conversation_no, c.message_count, p_message_id, p_run_id, p_role, p_content, p_turns,
    octet_length(p_content::text) + coalesce(octet_length(p_turns::text), 0), t
  );
end $$;

-- Adds a message that belongs to no run; nothing when it is there.
create function append_message(
  p_tenant text, p_user text, p_conversation text,
  p_message_id text, p_run_id text, p_role text, p_content json, p_turns json
) returns void language plpgsql set search_path from current as $$
begin
  -- Whoever adds to a conversation, or creates or ends a run of it, does so alone. Taken before any run is locked.
  perform pg_advisory_xact_lock(lane_key(p_tenant, p_user, p_conversation));
  if exists (
    select from message join conversation using (conversation_no)
    where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation and message_id = p_message_id
  ) then
    return;
  end if;
  perform add_message(p_tenant, p_user, p_conversation, p_message_id, p_run_id, p_role, p_content, p_turns);
end $$;

-- Adds a message of a run, under the id that every driver gives it.
create function add_run_message(r run, p_role text, p_content json, p_turns json) returns void
language plpgsql set search_path from current as $$
begin
  perform add_message(
    r.tenant_id, r.user_id, r.conversation_id,
    'message_' || left(encode(sha256(convert_to(
      '[' || to_json(r.run_id) || ',' || to_json(p_role) || ']', 'UTF8'
    )), 'hex'), 32),
    r.run_id, p_role, p_content, p_turns
  );
end $$;

-- Adds what the user said, once the run is the first of its conversation.
create function add_question(r run) returns void language plpgsql set search_path from current as $$
begin
  if r.input ->> 'kind' = 'message' then
    perform add_run_message(r, 'user', r.input -> 'content', null);
  end if;
end $$;

create function message_json(
  p_message_id text, p_run_id text, p_role text, p_content json, p_turns json, p_at bigint
) returns json language sql stable as $$
  select json_build_object(
    'messageId', p_message_id, 'runId', p_run_id, 'role', p_role, 'content', p_content, 'at', p_at, 'turns', p_turns
  )
$$;

-- What the conversation holds but for the run's own message: the newest ones, as many and of as many bytes as asked.
create function history_of(r run, p_messages integer, p_bytes bigint) returns json
language plpgsql stable set search_path from current as $$
declare
  c conversation;
begin
  select * into c from conversation
  where tenant_id = r.tenant_id and user_id = r.user_id and conversation_id = r.conversation_id;
  return (
    select coalesce(json_agg(message_json(message_id, run_id, role, content, turns, at) order by place), '[]')
    from (
      select *,
        count(*) over (order by place desc) as messages_so_far,
        sum(bytes) over (order by place desc) as bytes_so_far
      from message
      where conversation_no = c.conversation_no and run_id <> r.run_id
        and place >= c.message_count - p_messages and place <= c.message_count
    ) newest
    where messages_so_far <= p_messages and bytes_so_far <= p_bytes
  );
end $$;

-- The newest messages older than the message `p_before`, oldest first.
create function read_messages(p_tenant text, p_user text, p_conversation text, p_limit integer, p_before text)
returns json language plpgsql stable set search_path from current as $$
declare
  c bigint;
  end_place integer;
begin
  select conversation_no, message_count + 1 into c, end_place from conversation
  where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  if p_before is not null then
    select place into end_place from message where conversation_no = c and message_id = p_before;
  end if;
  return (
    select coalesce(json_agg(message_json(message_id, run_id, role, content, turns, at) order by place), '[]')
    from message where conversation_no = c and place >= end_place - p_limit and place < end_place
  );
end $$;

-- In the order of the index: without statistics the planner would read and sort all that the owner has.
create function list_conversations(p_tenant text, p_user text, p_limit integer, p_before text)
returns json language sql stable set search_path from current set enable_sort to off as $$
  select coalesce(json_agg(json_build_object(
    'conversationId', c.conversation_id, 'createdAt', c.created_at, 'updatedAt', c.updated_at,
    'messageCount', c.message_count
  ) order by c.touched desc), '[]')
  from (
    select * from conversation
    where owner = owner_key(p_tenant, p_user) and tenant_id = p_tenant and user_id = p_user
      and (p_before is null or touched < (
        select b.touched from conversation b
        where b.tenant_id = p_tenant and b.user_id = p_user and b.conversation_id = p_before
      ))
    order by touched desc
    limit p_limit
  ) c
$$;

create function delete_conversation(p_tenant text, p_user text, p_conversation text) returns json
language plpgsql set search_path from current as $$
declare
  p_lane bigint := lane_key(p_tenant, p_user, p_conversation);
  runs integer;
  conversations integer;
begin
  perform pg_advisory_xact_lock(p_lane);
  if exists (
    select from run
    where lane = p_lane and finished_at is null
      and tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation
  ) then
    return '"busy"';
  end if;
  delete from run
  where lane = p_lane and tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  get diagnostics runs = row_count;
  delete from conversation where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  get diagnostics conversations = row_count;
  return case when runs + conversations > 0 then '"deleted"' else '"not_found"' end;
end $$;

-- Down Migration

drop function delete_conversation, list_conversations, read_messages, history_of, message_json, add_question, add_run_message, append_message,
  add_message;
