-- Artifacts in chunks, and what expires.

-- Up Migration

-- Adds a chunk; the first one creates the artifact, the last one makes it readable.
create function add_artifact_chunk(
  p_artifact_id text, p_tenant text, p_user text, p_run_id text, p_media_type text,
  p_chunk_no integer, p_body bytea, p_bytes bigint
) returns void language plpgsql set search_path from current as $$
begin
  insert into artifact (artifact_id, tenant_id, user_id, run_id, media_type, bytes, created_at)
  values (p_artifact_id, p_tenant, p_user, p_run_id, p_media_type, p_bytes, now_ms())
  on conflict (artifact_id) do update set bytes = excluded.bytes;
  insert into artifact_chunk (artifact_id, chunk_no, body) values (p_artifact_id, p_chunk_no, p_body)
  on conflict do nothing;
end $$;

create function read_artifact(p_artifact_id text, p_tenant text, p_user text) returns json
language plpgsql stable set search_path from current as $$
begin
  return (
    select json_build_object('artifactId', artifact_id, 'bytes', bytes, 'mediaType', media_type)
    from artifact
    where artifact_id = p_artifact_id and tenant_id = p_tenant and user_id = p_user and bytes is not null
  );
end $$;

-- Bytes `p_from` (included) to `p_to` (excluded) of a chunk.
create function read_artifact_chunk(p_artifact_id text, p_chunk_no integer, p_from integer, p_to integer) returns bytea
language plpgsql stable set search_path from current as $$
begin
  return (
    select substring(body from p_from + 1 for p_to - p_from)
    from artifact_chunk where artifact_id = p_artifact_id and chunk_no = p_chunk_no
  );
end $$;

create function delete_artifact(p_artifact_id text, p_tenant text, p_user text) returns void
language plpgsql set search_path from current as $$
begin
  delete from artifact where artifact_id = p_artifact_id and tenant_id = p_tenant and user_id = p_user;
end $$;

-- Removes the turns, calls and events of a batch of runs that ended before; how they ended stays. Returns how many.
create function compact_runs(p_before_ms bigint, p_limit integer) returns json
language plpgsql set search_path from current as $$
declare
  ids text[];
begin
  select coalesce(array_agg(run_id), '{}') into ids from (
    select run_id from run
    where finished_at < now_ms() - p_before_ms and not is_compact
    order by finished_at limit p_limit for no key update skip locked
  ) old;
  delete from run_event where run_id = any(ids);
  delete from turn where run_id = any(ids);
  delete from tool_call where run_id = any(ids);
  delete from question where run_id = any(ids);
  delete from steer where run_id = any(ids);
  update run set is_compact = true where run_id = any(ids);
  return to_json(cardinality(ids));
end $$;

create function expire_runs(p_before_ms bigint, p_limit integer) returns json
language plpgsql set search_path from current as $$
declare
  gone integer;
begin
  delete from run where run_id in (
    select run_id from run where finished_at < now_ms() - p_before_ms
    order by finished_at limit p_limit for update skip locked
  );
  get diagnostics gone = row_count;
  return to_json(gone);
end $$;

create function expire_artifacts(p_before_ms bigint, p_limit integer) returns json
language plpgsql set search_path from current as $$
declare
  gone integer;
begin
  delete from artifact where artifact_id in (
    select artifact_id from artifact where created_at < now_ms() - p_before_ms
    order by created_at limit p_limit for update skip locked
  );
  get diagnostics gone = row_count;
  return to_json(gone);
end $$;

-- Down Migration

drop function expire_artifacts, expire_runs, compact_runs, delete_artifact, read_artifact_chunk, read_artifact,
  add_artifact_chunk;
