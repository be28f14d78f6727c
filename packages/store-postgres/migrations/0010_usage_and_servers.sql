-- Token accounts and registered tool servers.

-- Up Migration

-- A plan that is made for any window would read the whole table: a window is small, but the planner cannot know.
create function read_usage(p_tenant text, p_user text, p_window_ms bigint) returns json
language plpgsql volatile set search_path from current set enable_seqscan to off as $$
begin
  return (
    with this as (select t - t % p_window_ms as start from now_ms() t)
    select json_build_object(
      'used', coalesce(sum(tokens) filter (where is_settled), 0),
      'reserved', coalesce(sum(tokens) filter (where not is_settled), 0)
    )
    from usage_entry
    where owner = owner_key(p_tenant, p_user) and tenant_id = p_tenant and user_id = p_user
      and at >= (select start from this)
  );
end $$;

create function reserve_usage(p_tenant text, p_user text, p_reservation text, p_tokens bigint, p_limits json) returns json
language plpgsql set search_path from current set enable_seqscan to off as $$
declare
  t bigint;
  wait bigint;
begin
  perform pg_advisory_xact_lock(owner_key(p_tenant, p_user));
  if exists (
    select from usage_entry where tenant_id = p_tenant and user_id = p_user and reservation_id = p_reservation
  ) then
    return '{"granted": true}';
  end if;
  t := now_ms();
  select max(l."windowMs" - t % l."windowMs") into wait
  from json_to_recordset(p_limits) l ("windowMs" bigint, tokens bigint)
  where l.tokens < p_tokens + (
    select coalesce(sum(e.tokens), 0) from usage_entry e
    where e.owner = owner_key(p_tenant, p_user) and e.tenant_id = p_tenant and e.user_id = p_user
      and e.at >= t - t % l."windowMs"
  );
  if wait is not null then return json_build_object('granted', false, 'retryAfterMs', wait); end if;
  insert into usage_entry (tenant_id, user_id, reservation_id, owner, at, tokens, is_settled)
  values (p_tenant, p_user, p_reservation, owner_key(p_tenant, p_user), t, p_tokens, false)
  on conflict do nothing;
  return '{"granted": true}';
end $$;

create function settle_usage(p_tenant text, p_user text, p_reservation text, p_tokens bigint) returns void
language plpgsql set search_path from current as $$
begin
  update usage_entry set tokens = p_tokens, is_settled = true
  where tenant_id = p_tenant and user_id = p_user and reservation_id = p_reservation and not is_settled;
end $$;

create function put_tool_server(p_tenant text, p_name text, p_config json, p_pinned json, p_version integer) returns json
language plpgsql set search_path from current as $$
begin
  if p_version = 0 then
    insert into tool_server (tenant_id, name, config, pinned, version)
    values (p_tenant, p_name, p_config, p_pinned, 1)
    on conflict do nothing;
  else
    update tool_server set config = p_config, pinned = p_pinned, version = version + 1
    where tenant_id = p_tenant and name = p_name and version = p_version;
  end if;
  return to_json(found);
end $$;

-- The servers of a tenant by name, or the one of this name.
create function read_tool_servers(p_tenant text, p_name text) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(json_build_object(
      'tenantId', tenant_id, 'name', name, 'config', config, 'pinned', pinned, 'version', version
    ) order by name collate "C"), '[]')
    from tool_server where tenant_id = p_tenant and (p_name is null or name = p_name)
  );
end $$;

create function delete_tool_server(p_tenant text, p_name text) returns void
language plpgsql set search_path from current as $$
begin
  delete from tool_server where tenant_id = p_tenant and name = p_name;
end $$;

-- Down Migration

drop function delete_tool_server, read_tool_servers, put_tool_server, settle_usage, reserve_usage, read_usage;
