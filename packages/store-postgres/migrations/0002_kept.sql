-- What outlives runs: conversations, usage, audit, tool servers, artifacts.

-- Up Migration

create table conversation (
  conversation_no bigint generated always as identity primary key,
  tenant_id text not null,
  user_id text not null,
  conversation_id text not null,
  -- The key of its owner in indexes; see `owner_key`.
  owner bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  -- Rises with every message anywhere: orders what changed in the same millisecond.
  touched bigint not null,
  message_count integer not null,
  unique (conversation_id, tenant_id, user_id)
) with (fillfactor = 80);
create sequence conversation_touch owned by conversation.touched;
create index conversation_recent on conversation (owner, touched desc);

create table message (
  conversation_no bigint not null references conversation on delete cascade,
  place integer not null,
  message_id text not null,
  run_id text not null,
  role text not null check (role in ('user', 'assistant')),
  content json not null,
  turns json,
  -- Of content and turns: large ones are left out of a window without being read.
  bytes integer not null,
  at bigint not null,
  primary key (conversation_no, place),
  unique (message_id, conversation_no)
);

create table usage_entry (
  tenant_id text not null,
  user_id text not null,
  reservation_id text not null,
  owner bigint not null,
  at bigint not null,
  tokens bigint not null,
  is_settled boolean not null,
  primary key (reservation_id, tenant_id, user_id)
);
create index usage_window on usage_entry (owner, at) include (tenant_id, user_id, tokens, is_settled);

-- The role of the running app may insert and read, nothing else.
create table audit (
  chain text not null,
  sequence integer not null,
  tenant_id text not null,
  user_id text not null,
  action text not null,
  details json not null,
  at bigint not null,
  hash text not null,
  primary key (chain, sequence)
);

create table tool_server (
  tenant_id text not null,
  name text not null,
  config json not null,
  pinned json not null,
  version integer not null,
  primary key (tenant_id, name)
);

create table artifact (
  artifact_id text primary key,
  tenant_id text not null,
  user_id text not null,
  run_id text not null,
  media_type text not null,
  -- Null until the whole body is there.
  bytes bigint,
  created_at bigint not null
);
create index artifact_created on artifact (created_at);

create table artifact_chunk (
  artifact_id text not null references artifact on delete cascade,
  chunk_no integer not null,
  body bytea not null,
  primary key (artifact_id, chunk_no)
);
-- Parts of a chunk are read without reading the whole of it.
alter table artifact_chunk alter column body set storage external;

-- Down Migration

drop table artifact_chunk, artifact, tool_server, audit, usage_entry, message, conversation;
