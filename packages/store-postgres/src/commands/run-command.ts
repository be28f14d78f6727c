import { parseArgs } from 'node:util';
import { openPool } from '../database/pool-driver.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { migrateCommand } from './migrate.ts';
import { seed } from './seed.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

/** What the command line gets from its process. */
export interface Surroundings {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

const commands: Readonly<Record<string, Command>> = {
  migrate: migrateCommand,
  status,
  doctor,
  verify,
  seed,
};

const usage = `steward-postgres COMMAND [options]

  migrate            applies the migrations that are missing
    --down           takes the last one back instead; --count N the last N
    --app-role NAME  gives this role what the running app needs: no DDL, an audit log that it can only add to
    --create-role    creates that role, without log-in, where it is missing
  status             what is applied, and what is not
  doctor             checks server, schema and rights, and Redis where there is one
    --redis URL      its address; REDIS_URL by default
  verify [CHAIN...]  computes the audit chains anew: those named, or all
  seed               writes a sample conversation and a sample tool server, once

  --url URL          the database; DATABASE_URL by default
  --schema NAME      the schema of the tables; steward by default`;

/** Runs a command of the command line. Returns the exit code: 1 when something is not well, 2 for a wrong command line. */
export async function runCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<0 | 1 | 2> {
  const { print, complain } = surroundings;
  const asked = read(args);
  if ('problem' in asked) {
    complain(`${asked.problem}\n\n${usage}`);
    return 2;
  }
  if (asked.values.help) {
    print(usage);
    return 0;
  }
  const url = asked.values.url ?? surroundings.databaseUrl;
  if (url === undefined) {
    complain('Which database? Give --url, or set DATABASE_URL.');
    return 2;
  }
  return perform(asked, url, surroundings);
}

type Asked = Exclude<ReturnType<typeof read>, { problem: string }>;

async function perform(asked: Asked, url: string, surroundings: Surroundings) {
  const { print, complain, redisUrl } = surroundings;
  const { command, words, values } = asked;
  const driver = await openPool(url, 2);
  try {
    const options = {
      down: values.down,
      count: values.count === undefined ? undefined : Number(values.count),
      appRole: values['app-role'],
      createRole: values['create-role'],
      redisUrl: values.redis ?? redisUrl,
    };
    const { schema } = values;
    return (await command({ driver, schema, options, words, print })) ? 0 : 1;
  } catch (reason) {
    complain(reason instanceof Error ? reason.message : String(reason));
    return 1;
  } finally {
    await driver.close();
  }
}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        url: { type: 'string' },
        redis: { type: 'string' },
        schema: { type: 'string', default: 'steward' },
        down: { type: 'boolean', default: false },
        count: { type: 'string' },
        'app-role': { type: 'string' },
        'create-role': { type: 'boolean', default: false },
      },
    });
    const [name = '', ...words] = positionals;
    const command = commands[name] ?? (values.help ? status : undefined);
    if (command === undefined) return { problem: `There is no command "${name}".` };
    if (values.count !== undefined && !/^[1-9]\d{0,3}$/.test(values.count)) {
      return { problem: '--count must be a positive number.' };
    }
    return { command, words, values };
  } catch (reason) {
    return { problem: reason instanceof Error ? reason.message : String(reason) };
  }
}
