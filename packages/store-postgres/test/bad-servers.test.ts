import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startPostgres } from '../../../scripts/lib/services.mjs';
import { runCommand } from '../src/commands/run-command.ts';
import { postgresStores } from '../src/index.ts';

type Server = NonNullable<Awaited<ReturnType<typeof startPostgres>>>;

/** A server of its own, since it is told to refuse people; there is one where the other tests have one. */
describe.skipIf(inject('postgresUrl') === null)(
  'a start on a server that is not as it should be',
  () => {
    let server: Server;
    let admin: pg.Client;

    beforeAll(async () => {
      const started = await startPostgres();
      if (started === undefined) throw new Error('This test needs the binaries of a server.');
      server = started;
      admin = new pg.Client(server.url);
      await admin.connect();
    });

    afterAll(async () => {
      await admin?.end();
      await server?.stop();
    });

    /** The address with another user, password or database. */
    function address(changes: { username?: string; password?: string; pathname?: string }): string {
      return Object.assign(new URL(server.url), changes).href;
    }

    /** Asks the server who comes in, first line first; who is not named comes in as before. */
    async function letIn(...lines: string[]): Promise<void> {
      const rules = [...lines, 'host all postgres 127.0.0.1/32 trust'].join('\\n');
      await admin.query(
        `copy (select unnest(string_to_array('${rules}', '\\n'))) to '${await hbaFile()}'`,
      );
      await admin.query('select pg_reload_conf()');
    }

    async function hbaFile(): Promise<string> {
      const { rows } = await admin.query('show hba_file');
      return String(rows[0]?.hba_file);
    }

    /** What a start says that is refused. It leaves no connection and no schema behind. */
    async function refusal(connectionString: string): Promise<string> {
      const reason: unknown = await postgresStores({ connectionString, migrate: true }).then(
        (stores) => stores.close(),
        (thrown: unknown) => thrown,
      );
      expect(reason).toMatchObject({ code: 'store_unavailable', retryable: false });
      await expect
        .poll(async () => {
          const { rows } = await admin.query(
            `select count(*)::int as count from pg_stat_activity where application_name = 'steward'`,
          );
          return rows[0]?.count;
        })
        .toBe(0);
      const { rows } = await admin.query(`select from pg_namespace where nspname = 'steward'`);
      expect(rows).toEqual([]);
      return String(reason);
    }

    it('says that the password is wrong or missing', async () => {
      await admin.query(`create role locked login password 'right'`);
      await letIn('host all locked 127.0.0.1/32 scram-sha-256');
      await expect
        .poll(() =>
          postgresStores({
            connectionString: address({ username: 'locked', password: 'wrong' }),
          }).catch(String),
        )
        .toMatch(/refuses this user or password/);
      expect(await refusal(address({ username: 'locked', password: 'wrong' }))).toMatch(
        /user or password/,
      );
      expect(await refusal(address({ username: 'locked' }))).toMatch(/user or password/);
    });

    it('says that the server lets the user in from nowhere', async () => {
      await admin.query('create role stranger login');
      await letIn();
      await expect
        .poll(() =>
          postgresStores({ connectionString: address({ username: 'stranger' }) }).catch(String),
        )
        .toMatch(/pg_hba\.conf/);
      expect(await refusal(address({ username: 'stranger' }))).toMatch(
        /lets this user in neither.*pg_hba\.conf/,
      );
    });

    it('says that there is no such database', async () => {
      expect(await refusal(address({ pathname: '/nowhere' }))).toMatch(
        /no such database.*create it/,
      );
    });

    it('says that there is no connection left', async () => {
      await admin.query('create database crowded connection limit 0');
      await admin.query('create role guest login');
      await letIn('host all guest 127.0.0.1/32 trust');
      const connectionString = address({ username: 'guest', pathname: '/crowded' });
      await expect
        .poll(() => postgresStores({ connectionString }).catch(String))
        .toMatch(/no connection left/);
      expect(await refusal(connectionString)).toMatch(/no connection left: raise max_connections/);
    });

    it('says that the database is in another encoding', async () => {
      await admin.query(`create database ascii encoding 'SQL_ASCII' template template0`);
      expect(await refusal(address({ pathname: '/ascii' }))).toMatch(
        /in SQL_ASCII: create one in UTF8/,
      );
    });

    it('says that the database takes no writes', async () => {
      await admin.query('create database standby');
      await admin.query('alter database standby set default_transaction_read_only to on');
      expect(await refusal(address({ pathname: '/standby' }))).toMatch(
        /read-only: connect to the primary/,
      );
    });

    it('says that the role may create nothing', async () => {
      await admin.query('create role reader login');
      await letIn('host all reader 127.0.0.1/32 trust');
      await expect
        .poll(() =>
          postgresStores({ connectionString: address({ username: 'reader' }) }).catch(String),
        )
        .toMatch(/no tables yet/);
      expect(await refusal(address({ username: 'reader' }))).toMatch(
        /may not create tables.*steward-postgres migrate/,
      );
    });

    it('says all of it by the command line, and fails', async () => {
      const lines: string[] = [];
      const print = (line: string) => lines.push(line);
      const surroundings = { databaseUrl: undefined, print, complain: print };
      const code = await runCommand(
        ['doctor', '--url', server.url, '--redis', 'redis://127.0.0.1:1'],
        {
          ...surroundings,
          redisUrl: undefined,
        },
      );
      expect(code).toBe(1);
      expect(lines[0]).toMatch(/^server +check +result$/);
      expect(lines).toContainEqual(expect.stringMatching(/^postgres +connection +ok/));
      expect(lines).toContainEqual(
        expect.stringMatching(/^postgres +schema +FAILED +.*no tables yet/),
      );
      expect(lines).toContainEqual(
        expect.stringMatching(/^redis +connection +FAILED +.*Nothing listens/),
      );
    });
  },
);
