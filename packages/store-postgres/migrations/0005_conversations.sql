-- Messages by conversation.

-- Up Migration

-- Adds a message, creating its conversation; nothing when the message is there.
create function add_message(
  p_tenant text, p_user text, p_conversation text,
  p_message_id text, p_run_id text, p_role text, p_content json, p_turns json
) returns void language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  c conversation;
begin
  -- The row of the conversation is locked before a place is given: messages get theirs in the order they are committed.
  insert into conversation as kept (tenant_id, user_id, conversation_id, created_at, updated_at, touched, message_count)
  values (p_tenant, p_user, p_conversation, t, t, nextval('conversation_touch'), 0)
  on conflict (tenant_id, user_id, conversation_id) do update set message_count = kept.message_count
  returning * into c;
  insert into message (conversation_no, place, message_id, run_id, role, content, turns, at)
  values (c.conversation_no, c.message_count + 1, p_message_id, p_run_id, p_role, p_content, p_turns, t)
  on conflict (conversation_no, message_id) do nothing;
  if found then
    update conversation
    set message_count = message_count + 1, updated_at = t, touched = nextval('conversation_touch')
    where conversation_no = c.conversation_no;
  end if;
end $$;

-- Adds a message of a run, under the id that every driver gives it.
create function add_run_message(r run, p_role text, p_content json, p_turns json) returns void
language sql set search_path from current as $$
  select add_message(
    r.tenant_id, r.user_id, r.conversation_id,
    'message_' || left(encode(sha256(convert_to(
      '[' || to_json(r.run_id) || ',' || to_json(p_role) || ']', 'UTF8'
    )), 'hex'), 32),
    r.run_id, p_role, p_content, p_turns
  )
$$;

-- Adds what the user said, once the run is the first of its conversation.
create function add_question(r run) returns void language plpgsql set search_path from current as $$
begin
  if r.input ->> 'kind' = 'message' then
    perform add_run_message(r, 'user', r.input -> 'content', null);
  end if;
end $$;

-- The newest messages older than the message `p_before`, oldest first.
create function read_messages(p_tenant text, p_user text, p_conversation text, p_limit integer, p_before text)
returns json language sql stable set search_path from current as $$
  select coalesce(json_agg(json_build_object(
    'messageId', m.message_id, 'runId', m.run_id, 'role', m.role, 'content', m.content, 'at', m.at, 'turns', m.turns
  ) order by m.place), '[]')
  from (
    select m.* from message m join conversation c using (conversation_no)
    where c.tenant_id = p_tenant and c.user_id = p_user and c.conversation_id = p_conversation
      and (p_before is null or m.place < (
        select b.place from message b where b.conversation_no = c.conversation_no and b.message_id = p_before
      ))
    order by m.place desc
    limit p_limit
  ) m
$$;

create function list_conversations(p_tenant text, p_user text, p_limit integer, p_before text)
returns json language sql stable set search_path from current as $$
  select coalesce(json_agg(json_build_object(
    'conversationId', c.conversation_id, 'createdAt', c.created_at, 'updatedAt', c.updated_at,
    'messageCount', c.message_count
  ) order by c.touched desc), '[]')
  from (
    select * from conversation
    where tenant_id = p_tenant and user_id = p_user
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
  runs integer;
  conversations integer;
begin
  perform lock_lane(p_tenant, p_user, p_conversation);
  if exists (
    select from run
    where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation and finished_at is null
  ) then
    return '"busy"';
  end if;
  delete from run where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  get diagnostics runs = row_count;
  delete from conversation where tenant_id = p_tenant and user_id = p_user and conversation_id = p_conversation;
  get diagnostics conversations = row_count;
  return case when runs + conversations > 0 then '"deleted"' else '"not_found"' end;
end $$;

-- Down Migration

drop function delete_conversation, list_conversations, read_messages, add_question, add_run_message, add_message;
