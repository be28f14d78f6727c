-- Users of a web application, with their profiles and preferences.

-- Up Migration

create table app_user (
  user_no bigint generated always as identity primary key,
  user_id text not null,
  tenant_id text not null,
  -- Who it is, by the word of an identity provider.
  issuer text not null,
  subject text not null,
  profile json not null,
  roles json not null default '[]',
  is_disabled boolean not null default false,
  epoch integer not null default 1,
  preferences json not null default '{}',
  created_at bigint not null,
  signed_in_at bigint not null,
  unique (user_id, tenant_id),
  unique (subject, issuer, tenant_id)
);
create index app_user_newest on app_user (tenant_id, user_no desc);

create function user_json(u app_user) returns json language sql immutable as $$
  select json_build_object(
    'tenantId', u.tenant_id, 'userId', u.user_id, 'issuer', u.issuer, 'subject', u.subject, 'profile', u.profile,
    'roles', u.roles, 'isDisabled', u.is_disabled, 'epoch', u.epoch, 'preferences', u.preferences,
    'createdAt', u.created_at, 'signedInAt', u.signed_in_at
  )
$$;

-- An object with the members of another one in it; those that are null there are taken out.
create function merged_json(p_before json, p_changes json) returns json language sql immutable as $$
  select coalesce(json_object_agg(key, value), '{}') from (
    select key, value from json_each(p_before) where p_changes -> key is null
    union all
    select key, value from json_each(p_changes) where json_typeof(value) <> 'null'
  ) members
$$;

-- `p_user` is the id of a user who is new.
create function sign_in(p_tenant text, p_user text, p_issuer text, p_subject text, p_profile json) returns json
language plpgsql set search_path from current as $$
declare
  t bigint := now_ms();
  u app_user;
begin
  insert into app_user (user_id, tenant_id, issuer, subject, profile, created_at, signed_in_at)
  values (p_user, p_tenant, p_issuer, p_subject, p_profile, t, t)
  on conflict (subject, issuer, tenant_id) do update set profile = excluded.profile, signed_in_at = t
    where not app_user.is_disabled
  returning * into u;
  if not found then
    select * into u from app_user where subject = p_subject and issuer = p_issuer and tenant_id = p_tenant;
  end if;
  return user_json(u);
end $$;

create function read_user(p_tenant text, p_user text) returns json
language plpgsql stable set search_path from current as $$
begin
  return (select user_json(u) from app_user u where user_id = p_user and tenant_id = p_tenant);
end $$;

create function list_users(p_tenant text, p_limit integer, p_before text) returns json
language plpgsql stable set search_path from current as $$
declare
  last bigint;
begin
  select user_no into last from app_user where user_id = p_before and tenant_id = p_tenant;
  if p_before is not null and last is null then return '[]'; end if;
  return (
    select coalesce(json_agg(user_json(u) order by u.user_no desc), '[]') from (
      select * from app_user where tenant_id = p_tenant and user_no < coalesce(last, 9223372036854775807)
      order by user_no desc limit p_limit
    ) u
  );
end $$;

-- Null leaves things as they are.
create function update_user(
  p_tenant text, p_user text, p_roles json, p_disabled boolean, p_revoke boolean, p_preferences json
) returns json language plpgsql set search_path from current as $$
declare
  u app_user;
begin
  update app_user set
    roles = coalesce(p_roles, roles),
    is_disabled = coalesce(p_disabled, is_disabled),
    epoch = epoch + case
      when p_revoke or p_roles::text <> roles::text or p_disabled <> is_disabled then 1 else 0
    end,
    preferences = merged_json(preferences, p_preferences)
  where user_id = p_user and tenant_id = p_tenant
  returning * into u;
  return case when found then user_json(u) end;
end $$;

create function delete_user(p_tenant text, p_user text) returns void
language plpgsql set search_path from current as $$
begin
  delete from app_user where user_id = p_user and tenant_id = p_tenant;
end $$;

-- Down Migration

drop function delete_user, update_user, list_users, read_user, sign_in, merged_json, user_json;
drop table app_user;
