-- Token accounts of long ago may go.

-- Up Migration

create index usage_age on usage_entry (at);

create function expire_usage(p_before_ms bigint, p_limit integer) returns json
language plpgsql set search_path from current as $$
declare
  gone integer;
begin
  delete from usage_entry where ctid = any(array(
    select ctid from usage_entry where at < now_ms() - p_before_ms
    order by at limit p_limit for update skip locked
  ));
  get diagnostics gone = row_count;
  return to_json(gone);
end $$;

-- Down Migration

drop function expire_usage;
drop index usage_age;
