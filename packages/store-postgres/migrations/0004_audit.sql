-- The audit log. Hashes are those of `chainEntry` in @steward/core: SHA-256 over the hash before and the canonical JSON
-- of the entry.

-- Up Migration

-- JSON with sorted keys and no spaces. Numbers and strings stay as they were written, which is as JavaScript writes them.
create function canonical_json(value json) returns text language plpgsql immutable set search_path from current as $$
begin
  case json_typeof(value)
    when 'object' then
      -- JavaScript sorts by UTF-16: there, U+E000 to U+FFFF come behind what needs a pair of surrogates.
      return (
        select '{' || coalesce(string_agg(
          to_json(e.key)::text || ':'
            || case when json_typeof(e.value) in ('object', 'array') then canonical_json(e.value) else e.value::text end,
          ','
          order by regexp_replace(e.key, '([\uE000-\uFFFF])', E'\U0010FFFF\\1', 'g') collate "C"
        ), '') || '}'
        from json_each(value) e
      );
    when 'array' then
      return (
        select '[' || coalesce(string_agg(canonical_json(i.value), ',' order by i.ordinality), '') || ']'
        from json_array_elements(value) with ordinality i
      );
    else return value::text;
  end case;
end $$;

create function audit_json(a audit) returns json language sql immutable as $$
  select json_build_object(
    'tenantId', a.tenant_id, 'userId', a.user_id, 'chain', a.chain, 'action', a.action, 'details', a.details,
    'sequence', a.sequence, 'at', a.at, 'hash', a.hash
  )
$$;

create function audit_append(p_chain text, p_tenant text, p_user text, p_action text, p_details json) returns json
language plpgsql set search_path from current as $$
declare
  t bigint;
  previous record;
  entry text;
  added audit;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_chain, 1));
  t := now_ms();
  select coalesce(max(a.sequence), 0) as sequence, coalesce(max(a.hash), '') as hash into previous
  from (select sequence, hash from audit where chain = p_chain order by sequence desc limit 1) a;
  entry := '{"action":' || to_json(p_action) || ',"at":' || t || ',"chain":' || to_json(p_chain)
    || ',"details":' || canonical_json(p_details) || ',"sequence":' || previous.sequence + 1
    || ',"tenantId":' || to_json(p_tenant) || ',"userId":' || to_json(p_user) || '}';
  insert into audit (chain, sequence, tenant_id, user_id, action, details, at, hash)
  values (
    p_chain, previous.sequence + 1, p_tenant, p_user, p_action, p_details, t,
    encode(sha256(convert_to(previous.hash || entry, 'UTF8')), 'hex')
  ) returning * into added;
  return audit_json(added);
end $$;

create function audit_run(r run, p_action text, p_details json) returns void
language plpgsql set search_path from current as $$
begin
  perform audit_append(r.run_id, r.tenant_id, r.user_id, p_action, p_details);
end $$;

-- The entries of a chain; those of one owner, or all for null.
create function audit_read(p_chain text, p_tenant text, p_user text) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select coalesce(json_agg(audit_json(a) order by a.sequence), '[]') from audit a
    where a.chain = p_chain and (p_tenant is null or (a.tenant_id = p_tenant and a.user_id = p_user))
  );
end $$;

-- Down Migration

drop function audit_read, audit_run, audit_append, audit_json, canonical_json;
