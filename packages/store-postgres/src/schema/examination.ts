import type { Driver, Row } from '../database/driver.ts';
import { codeOf } from '../database/failures.ts';
import { isContracting, schemaState } from './migrations.ts';

/** What a check found. */
export interface Finding {
  readonly check: string;
  /** Nothing starts with `failed`; a `warning` is worth a thought. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What is, and what to do where something is not as it should be. */
  readonly says: string;
}

/** The oldest server whose features are used. */
const oldestVersion = 140_000;

/** Looks at everything that the stores rely on, in order, up to the first failure. */
export async function examine(driver: Driver, schema: string): Promise<readonly Finding[]> {
  const server = await examineServer(driver);
  return failureOf(server) ? server : [...server, ...(await examineSchema(driver, schema))];
}

/** The failure among findings, if there is one. */
export function failureOf(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ state }) => state === 'failed');
}

/** Whether there is a server, and one that can be used. */
export async function examineServer(driver: Driver): Promise<readonly Finding[]> {
  try {
    const [server = {}] = await driver.query(description, []);
    return checkServer(server);
  } catch (reason) {
    const said = reason instanceof Error ? reason.message : String(reason);
    return [finding('connection', 'failed', `${adviceFor(codeOf(reason), said)} (${said})`)];
  }
}

/** Whether the tables are there, and may be used. */
export async function examineSchema(driver: Driver, schema: string): Promise<readonly Finding[]> {
  const tables = await checkSchema(driver, schema);
  return tables.state === 'failed' ? [tables] : [tables, ...(await checkRights(driver, schema))];
}

const description = `
  select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
    current_setting('server_encoding') as encoding, current_setting('transaction_read_only') as read_only,
    current_setting('synchronous_commit') as commits, current_user::text as role`;

const advice: Readonly<Record<string, string>> = {
  '28P01': 'The server refuses this user or password: check both in the connection string.',
  '28000': 'The server lets this user in neither from here nor in this way: check pg_hba.conf.',
  '3D000': 'There is no such database on the server: create it, or name another one.',
  '53300': 'The server has no connection left: raise max_connections, or open fewer.',
  '57P03': 'The server is starting up or shutting down: try again in a moment.',
  ERR_INVALID_URL:
    'This is no connection string: write postgres://user:password@host:5432/database.',
  ENOTFOUND: 'There is no host of this name: check the connection string.',
};

function adviceFor(code: string, said: string): string {
  if (/SASL|password/i.test(said)) return advice['28P01'] ?? '';
  return (
    advice[code] ??
    'No PostgreSQL server answers there: check host and port of the connection string, and that the server runs.'
  );
}

function checkServer(server: Row): readonly Finding[] {
  const [name, encoding, commits] = [server['name'], server['encoding'], server['commits']].map(
    String,
  );
  return [
    finding('connection', 'ok', `PostgreSQL ${name}, as ${String(server['role'])}`),
    Number(server['version']) >= oldestVersion
      ? finding('version', 'ok', `${name}`)
      : finding('version', 'failed', `PostgreSQL ${name} is too old: 14 or newer is needed.`),
    encoding === 'UTF8'
      ? finding('encoding', 'ok', 'UTF8')
      : finding('encoding', 'failed', `The database is in ${encoding}: create one in UTF8.`),
    server['read_only'] === 'off'
      ? finding('writable', 'ok', 'yes')
      : finding('writable', 'failed', 'The database is read-only: connect to the primary server.'),
    commits === 'off'
      ? finding(
          'durability',
          'warning',
          'synchronous_commit is off: a crash of the server loses what it had acknowledged. Set it to on.',
        )
      : finding('durability', 'ok', `synchronous_commit is ${commits}`),
  ];
}

/** Whether the tables are there, and those of this version. */
export async function checkSchema(driver: Driver, schema: string): Promise<Finding> {
  const state = await schemaState(driver, schema);
  const migrateFirst = 'run `steward-postgres migrate` with a role that may create tables';
  if (state.kind === 'absent') {
    return finding('schema', 'failed', `Schema ${schema} has no tables yet: ${migrateFirst}.`);
  }
  if (state.kind === 'foreign') {
    const other = 'name a schema of its own (option `schema`, `--schema`)';
    return finding(
      'schema',
      'failed',
      `Schema ${schema} holds the tables of something else: ${other}.`,
    );
  }
  const breaking = state.unknown.findLast(isContracting);
  if (breaking !== undefined) {
    return finding(
      'schema',
      'failed',
      `Schema ${schema} was migrated by a newer version (${breaking}): upgrade @steward/store-postgres.`,
    );
  }
  if (state.pending.length > 0) {
    const [first] = state.pending;
    const count = state.pending.length;
    return finding(
      'schema',
      'failed',
      `Schema ${schema} lacks ${count} migrations, from ${first} on: ${migrateFirst}.`,
    );
  }
  const newest = state.unknown.at(-1);
  if (newest !== undefined) {
    return finding(
      'schema',
      'warning',
      `A newer version has added to schema ${schema} (${newest}). This one can run on it: finish the upgrade.`,
    );
  }
  return finding('schema', 'ok', `${schema}, ${state.applied.length} migrations`);
}

async function checkRights(driver: Driver, schema: string): Promise<readonly Finding[]> {
  const rows = await driver.query(
    `select c.relname as name,
       has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert') as basic,
       has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete') as more
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'r' and c.relname <> 'migration'
       and has_schema_privilege(n.oid, 'usage')
     order by c.relname`,
    [schema],
  );
  const audit = rows.find(({ name }) => name === 'audit');
  const lacking = rows.filter(({ name, basic, more }) => !basic || (name !== 'audit' && !more));
  if (audit === undefined || lacking.length > 0) {
    const what = lacking.map(({ name }) => name).join(', ') || `schema ${schema}`;
    return [
      finding(
        'rights',
        'failed',
        `This role may not use ${what}: run \`steward-postgres migrate --app-role NAME\` for it.`,
      ),
    ];
  }
  return [
    finding('rights', 'ok', `${rows.length} tables`),
    audit['more'] === true
      ? finding(
          'audit',
          'warning',
          'This role may change and delete audit records: run the app under a role made by `--app-role`.',
        )
      : finding('audit', 'ok', 'this role can only read and add'),
  ];
}

function finding(check: string, state: Finding['state'], says: string): Finding {
  return { check, state, says };
}
