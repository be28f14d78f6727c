import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { runCommand } from '../src/commands/run-command.ts';
import { postgresStores } from '../src/index.ts';
import { examineServer } from '../src/schema/examination.ts';
import { knownMigrations } from '../src/schema/migrations.ts';

const url = inject('postgresUrl') ?? '';

describe('postgresStores', () => {
  it.each([
    [{}, 'one of'],
    [{ connectionString: 'postgres://a', pglite: {} }, 'one of'],
    [{ connectionString: 'localhost:5432' }, 'connectionString'],
    [{ connectionString: 'postgres://a', schema: 'A"; drop' }, 'schema'],
    [{ connectionString: 'postgres://a', artifactBytes: 0 }, 'artifactBytes'],
    [{ connectionString: 'postgres://a', maxConnections: 1.5 }, 'maxConnections'],
  ])('refuses %j, naming %s', async (options, named) => {
    const opening = postgresStores(options as never);
    await expect(opening).rejects.toBeInstanceOf(TypeError);
    await expect(opening).rejects.toThrow(named);
  });

  it.each([
    ['postgres://postgres@127.0.0.1:1/x', 'host and port'],
    ['postgres://postgres@nowhere.invalid/x', 'no host of this name'],
    ['postgres://postgres:p%ZZ@127.0.0.1/x', 'connection string'],
  ])('says what to do when there is no server at %s', async (connectionString, advice) => {
    const opening = postgresStores({ connectionString });
    await expect(opening).rejects.toMatchObject({ code: 'store_unavailable', retryable: false });
    await expect(opening).rejects.toThrow(advice);
  });

  it.each([
    [{ code: '28P01' }, 'user or password'],
    [{ code: '53300' }, 'no connection left'],
  ])('says what to do when the server answers %j', async (error, advice) => {
    const query = () => Promise.reject(Object.assign(new Error('refused'), error));
    const [finding] = await examineServer({ query } as never);
    expect(finding).toMatchObject({ state: 'failed', says: expect.stringContaining(advice) });
  });

  it.each([
    [{ version: 130_010, name: '13.10' }, '14 or newer'],
    [{ encoding: 'SQL_ASCII' }, 'UTF8'],
    [{ read_only: 'on' }, 'primary'],
  ])('refuses a server like %j', async (changes, advice) => {
    const good = {
      version: 150_000,
      name: '15',
      encoding: 'UTF8',
      read_only: 'off',
      commits: 'on',
    };
    const query = async () => [{ ...good, ...changes }];
    const failed = (await examineServer({ query } as never)).filter(
      ({ state }) => state === 'failed',
    );
    expect(failed).toMatchObject([{ says: expect.stringContaining(advice) }]);
  });
});

describe.skipIf(url === '')('a schema', () => {
  let count = 0;

  /** A name that no other test uses, and a way to look at it. */
  async function withSchema(work: (schema: string, client: pg.Client) => Promise<void>) {
    count += 1;
    const schema = `start_up_${process.pid}_${count}`;
    const client = new pg.Client(url);
    await client.connect();
    try {
      await work(schema, client);
    } finally {
      await client.query(`drop schema if exists ${schema} cascade`);
      await client.end();
    }
  }

  /** Runs the command line and returns its exit code with what it printed. */
  async function command(...args: string[]) {
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const code = await runCommand(args, {
      databaseUrl: url,
      redisUrl: undefined,
      print,
      complain: print,
    });
    return { code, text: lines.join('\n') };
  }

  const open = (schema: string) => postgresStores({ connectionString: url, schema });

  it('is refused without tables, and made by the command line', async () => {
    await withSchema(async (schema) => {
      await expect(open(schema)).rejects.toThrow('no tables yet: run `steward-postgres migrate`');
      expect((await command('status', '--schema', schema)).code).toBe(1);
      expect((await command('migrate', '--schema', schema)).code).toBe(0);
      expect((await command('migrate', '--schema', schema)).text).toBe('Nothing to do.');
      expect((await command('status', '--schema', schema)).code).toBe(0);
      await (await open(schema)).close();
    });
  });

  it('is migrated by one of several processes that begin at once', async () => {
    await withSchema(async (schema, client) => {
      const opening = Array.from({ length: 5 }, () =>
        postgresStores({ connectionString: url, schema, migrate: true, maxConnections: 2 }),
      );
      for (const stores of await Promise.all(opening)) await stores.close();
      const { rows } = await client.query(`select name from ${schema}.migration order by id`);
      expect(rows.map(({ name }) => name)).toEqual(await knownMigrations());
    });
  });

  it('goes back and forth, leaving nothing behind', async () => {
    await withSchema(async (schema, client) => {
      const all = (await knownMigrations()).length;
      await command('migrate', '--schema', schema);
      const back = await command('migrate', '--schema', schema, '--down', '--count', `${all}`);
      expect(back.text.split('\n')).toHaveLength(all);
      const left = await client.query(
        `select relname from pg_class where relnamespace = $1::regnamespace and relkind = 'r'
         union all select proname from pg_proc where pronamespace = $1::regnamespace`,
        [schema],
      );
      expect(left.rows).toEqual([{ relname: 'migration' }]);
      expect((await command('migrate', '--schema', schema)).code).toBe(0);
      await (await open(schema)).close();
    });
  });

  it('is refused while migrations are missing', async () => {
    await withSchema(async (schema) => {
      await command('migrate', '--schema', schema);
      await command('migrate', '--schema', schema, '--down', '--count', '2');
      await expect(open(schema)).rejects.toThrow(/lacks 2 migrations/);
    });
  });

  it('is refused when a newer version took something away', async () => {
    await withSchema(async (schema, client) => {
      await command('migrate', '--schema', schema);
      await client.query(
        `insert into ${schema}.migration (name, run_on) values ('9999_contract_future', now()), ('9999_more', now())`,
      );
      await expect(open(schema)).rejects.toThrow('newer version (9999_contract_future)');
    });
  });

  it('is left alone when it is of something else', async () => {
    await withSchema(async (schema, client) => {
      await client.query(`create schema ${schema}; create table ${schema}.customer (id int)`);
      const opening = postgresStores({ connectionString: url, schema, migrate: true });
      await expect(opening).rejects.toThrow('tables of something else');
      expect((await command('migrate', '--schema', schema)).code).toBe(1);
      const { rows } = await client.query('select tablename from pg_tables where schemaname = $1', [
        schema,
      ]);
      expect(rows).toEqual([{ tablename: 'customer' }]);
    });
  });

  it('can be used by a role without DDL that cannot change the audit log', async () => {
    await withSchema(async (schema, client) => {
      const role = `${schema}_app`;
      try {
        await command('migrate', '--schema', schema, '--app-role', role, '--create-role');
        await client.query(`alter role ${role} login`);
        const app = new URL(url);
        app.username = role;
        const stores = await postgresStores({ connectionString: app.href, schema });
        const owner = { tenantId: 't', userId: 'u' };
        const entry = { ...owner, chain: 'registry', action: 'server.added', details: {} };
        await stores.audit.append(entry);
        await stores.toolServers.put({
          tenantId: 't',
          name: 'crm',
          config: {},
          pinned: {},
          version: 0,
        });
        await stores.close();
        const tool = new pg.Client(app.href);
        await tool.connect();
        for (const statement of [
          `update ${schema}.audit set action = 'nothing'`,
          `delete from ${schema}.audit`,
          `truncate ${schema}.audit`,
          `drop table ${schema}.audit`,
          `create table ${schema}.mine (id int)`,
          `insert into ${schema}.migration (name, run_on) values ('x', now())`,
        ]) {
          await expect(tool.query(statement)).rejects.toMatchObject({ code: '42501' });
        }
        await tool.end();
        const { text } = await command('doctor', '--schema', schema, '--url', app.href);
        expect(text).toMatch(/audit +ok/);
      } finally {
        await client.query(`drop owned by ${role}; drop role ${role}`);
      }
    });
  });

  it('is refused to a role that has no rights there', async () => {
    await withSchema(async (schema, client) => {
      const role = `${schema}_stranger`;
      await client.query(`create role ${role} login`);
      try {
        await command('migrate', '--schema', schema);
        const stranger = new URL(url);
        stranger.username = role;
        await expect(
          postgresStores({ connectionString: stranger.href, schema }),
        ).rejects.toMatchObject({ code: 'store_unavailable' });
      } finally {
        await client.query(`drop role ${role}`);
      }
    });
  });

  it('has its audit chains verified, and sample data written once, by the command line', async () => {
    await withSchema(async (schema, client) => {
      await command('migrate', '--schema', schema);
      await command('seed', '--schema', schema);
      expect((await command('seed', '--schema', schema)).code).toBe(0);
      const stores = await open(schema);
      const owner = { tenantId: 'default', userId: 'local' };
      expect(await stores.conversations.read(owner, 'sample', { limit: 9 })).toHaveLength(2);
      for (const chain of ['a', 'b']) {
        await stores.audit.append({ ...owner, chain, action: 'x', details: { n: 1 } });
      }
      await stores.close();
      const good = await command('verify', '--schema', schema);
      expect([good.code, good.text]).toEqual([0, '2 chains, 0 broken']);
      await client.query(`update ${schema}.audit set details = '{"n":2}' where chain = 'b'`);
      const bad = await command('verify', '--schema', schema);
      expect([bad.code, bad.text]).toEqual([
        1,
        'b: record 1 is not what was written\n2 chains, 1 broken',
      ]);
    });
  });

  it.each(['verify', 'seed'])('has to be there for %s, which says so', async (name) => {
    await withSchema(async (schema) => {
      const { code, text } = await command(name, '--schema', schema);
      expect(code).toBe(1);
      expect(text).toContain('has no tables yet: run `steward-postgres migrate`');
    });
  });

  it.each([
    [['bogus'], 'no command "bogus"'],
    [['migrate', '--count', '0'], '--count'],
    [['migrate', '--bogus'], 'bogus'],
  ])('is not touched by the command line %j', async (args, says) => {
    const { code, text } = await command(...args);
    expect(code).toBe(2);
    expect(text).toContain(says);
  });
});
