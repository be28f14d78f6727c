import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrationsFolder } from '../src/migrations-folder.ts';
import { knownMigrations } from '../src/schema/migrations.ts';

const tables =
  `run_event, turn, tool_call, question, steer, run, conversation, message, usage_entry, audit, tool_server,
  artifact, artifact_chunk, app_user`.split(/,\s+/);

/** Schemas with all tables and no rows. Making one takes longer than most tests, so each is used again. */
export class TestSchemas {
  readonly #exec: (text: string) => Promise<unknown>;
  readonly #free: string[] = [];
  readonly #all: string[] = [];

  constructor(exec: (text: string) => Promise<unknown>) {
    this.#exec = exec;
  }

  async take(): Promise<string> {
    return this.#free.pop() ?? this.#make();
  }

  /** Sets the clocks of all schemas forward, which takes no time. */
  async passTime(ms: number): Promise<void> {
    await this.#exec(this.#all.map((schema) => forward(schema, ms)).join('\n'));
  }

  /** Empties a schema for the next test. */
  async giveBack(schema: string): Promise<void> {
    await this.#exec(tables.map((table) => `delete from ${schema}.${table};`).join('\n'));
    this.#free.push(schema);
  }

  async #make(): Promise<string> {
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    await this.#exec(`begin;
      create schema ${schema};
      set local search_path to ${schema}, pg_temp;
      ${await migrationScript()}
      commit;`);
    this.#all.push(schema);
    return schema;
  }
}

/** The clock of the database, so much later than it was. */
function forward(schema: string, ms: number): string {
  return `
    create table if not exists ${schema}.passed (ms bigint not null);
    insert into ${schema}.passed values (${ms});
    create or replace function ${schema}.now_ms() returns bigint language sql volatile as $$
      select floor(extract(epoch from clock_timestamp()) * 1000)::bigint + (select sum(ms)::bigint from ${schema}.passed)
    $$;`;
}

/** All migrations as one text. */
async function migrationScript(): Promise<string> {
  const names = await knownMigrations();
  const texts = names.map(async (name) => {
    const text = await readFile(join(migrationsFolder, `${name}.sql`), 'utf8');
    return text.slice(0, text.indexOf('-- Down Migration'));
  });
  const rows = names.map((name) => `('${name}', now())`).join(', ');
  return `${(await Promise.all(texts)).join('\n')}
    create table migration (id serial primary key, name varchar(255) not null, run_on timestamp not null);
    insert into migration (name, run_on) values ${rows};`;
}
