import { StewardError } from '@steward/core';
import { Cluster, type Redis } from 'ioredis';
import { defineScript } from '../script.ts';

/** What a check found. */
export interface RedisFinding {
  readonly check: string;
  /** Nothing starts with `failed`; a `warning` is worth a thought. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What is, and what to do where something is not as it should be. */
  readonly says: string;
}

/** What the newest commands that are used here need. */
const oldestVersion = [6, 2] as const;

/** Looks at everything that is relied on, at each server that a client has to do with. */
export async function examine(
  client: Redis | Cluster,
  prefix: string,
): Promise<readonly RedisFinding[]> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  const infos = await Promise.all(nodes.map(async (node) => String(await node.call('INFO'))));
  const [info = ''] = infos;
  const places =
    client instanceof Cluster
      ? [await checkCluster(client, nodes.length)]
      : [checkRole(info), checkAlone(info, client.options.name)];
  const each = [checkVersion, checkMemory, checkPersistence];
  return [
    ...places,
    ...each.map((check) => worst(infos.map(check))),
    await checkRights(client, prefix),
  ];
}

/** The failure among findings, if there is one. */
export function failureOf(findings: readonly RedisFinding[]): RedisFinding | undefined {
  return findings.find(({ state }) => state === 'failed');
}

/** A finding that is a failure, as an error. */
export function unfit(where: string, { says }: RedisFinding): StewardError {
  return new StewardError('store_unavailable', `${where}: ${says}`, { retryable: false });
}

const severity = { ok: 0, warning: 1, failed: 2 } as const;

/** Of what was found at several servers the worst. */
function worst(findings: readonly RedisFinding[]): RedisFinding {
  const [first, ...others] = findings;
  if (first === undefined) return finding('servers', 'failed', 'The Cluster has no master.');
  return others.reduce((a, b) => (severity[b.state] > severity[a.state] ? b : a), first);
}

function checkVersion(info: string): RedisFinding {
  const version = field(info, 'redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestVersion;
  const isOlder = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  if (!isOlder) return finding('version', 'ok', version);
  const wanted = `Redis ${oldestVersion.join('.')} or newer is needed.`;
  return finding('version', 'failed', `the server is Redis ${version}; ${wanted}`);
}

function checkRole(info: string): RedisFinding {
  if (field(info, 'role') !== 'slave') return finding('role', 'ok', 'primary');
  const primary = `${field(info, 'master_host')}:${field(info, 'master_port')}`;
  return finding(
    'role',
    'failed',
    `the server is a replica and takes no writes: give its primary (${primary}), or the Sentinels that know it.`,
  );
}

/** One server of a Cluster has a part of the keys only. */
function checkAlone(info: string, name: string | undefined): RedisFinding {
  if (field(info, 'cluster_enabled') !== '1') {
    return finding('place', 'ok', name ? `what Sentinels call ${name}` : 'one server');
  }
  return finding(
    'place',
    'failed',
    'the server is one of a Cluster: give its address as redis+cluster://host:6379, or a Cluster of ioredis.',
  );
}

async function checkCluster(client: Cluster, masters: number): Promise<RedisFinding> {
  const state = field(String(await client.call('CLUSTER', 'INFO')), 'cluster_state');
  if (state === 'ok') return finding('place', 'ok', `a Cluster of ${masters} masters`);
  return finding(
    'place',
    'failed',
    `the Cluster is not whole (cluster_state ${state}): see CLUSTER NODES for what is missing.`,
  );
}

function checkMemory(info: string): RedisFinding {
  const policy = field(info, 'maxmemory_policy');
  if (policy === 'noeviction' || policy === '') return finding('memory', 'ok', 'noeviction');
  return finding(
    'memory',
    'failed',
    `the server would throw work and log-ins away when its memory is full (maxmemory-policy ${policy}). ` +
      'Set it to noeviction, or give another server.',
  );
}

function checkPersistence(info: string): RedisFinding {
  if (field(info, 'aof_enabled') === '1') return finding('persistence', 'ok', 'appendonly yes');
  return finding(
    'persistence',
    'warning',
    'appendonly is off: a restart logs everybody out, and queued work waits for the sweep. Set appendonly to yes.',
  );
}

/** Calls what is called later, on a key that is gone at once: a user without a right is told now. */
const rightsScript = `
local key = KEYS[1]
local calls = {
  {'DEL', key},
  {'SET', key, 1, 'PX', 1000}, {'GET', key}, {'EXISTS', key}, {'PTTL', key}, {'PEXPIRE', key, 1000}, {'DEL', key},
  {'HSET', key, 'a', 1}, {'HGET', key, 'a'}, {'HMGET', key, 'a'}, {'DEL', key},
  {'ZADD', key, 1, 'a'}, {'ZRANGE', key, 0, 0}, {'ZREMRANGEBYSCORE', key, 1, 1}, {'ZREM', key, 'a'},
  {'XADD', key, '*', 'a', 1}, {'XRANGE', key, '-', '+'}, {'XREVRANGE', key, '+', '-'},
  {'XREAD', 'STREAMS', key, 0}, {'DEL', key}, {'TIME'},
}
for _, call in ipairs(calls) do
  local answer = redis.pcall(unpack(call))
  if type(answer) == 'table' and answer.err then return call[1] .. ': ' .. answer.err end
end
`;

/** Under this name clients know the script. */
const rightsCommand = 'stewardRights';

async function checkRights(client: Redis | Cluster, prefix: string): Promise<RedisFinding> {
  const tryAll = defineScript(client, rightsCommand, rightsScript);
  const keys = [`${prefix}:rights`];
  // Once by its text and once by its digest, which are different rights.
  const answer = await tryAll(keys)
    .then((problem) => problem ?? tryAll(keys))
    .catch((reason: unknown) => (reason instanceof Error ? reason.message : 'EVAL failed'));
  if (typeof answer !== 'string') return finding('rights', 'ok', `keys of ${prefix}:`);
  const said = answer.replace(/ script: .*/s, '');
  return finding('rights', 'failed', `${said}. ${adviceFor(said, prefix)}`);
}

function adviceFor(said: string, prefix: string): string {
  if (/OOM/.test(said)) return 'The memory of the server is full: raise maxmemory.';
  if (/MISCONF/.test(said)) return 'The server cannot save to its disk: see its log.';
  if (/READONLY/.test(said)) return 'The server is a replica: give its primary.';
  return `The user needs the keys ~${prefix}:* and the commands that the README lists.`;
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
}

function finding(check: string, state: RedisFinding['state'], says: string): RedisFinding {
  return { check, state, says };
}
