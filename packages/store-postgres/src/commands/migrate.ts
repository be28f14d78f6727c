import { grantAppRole } from '../schema/app-role.ts';
import { migrate, schemaState } from '../schema/migrations.ts';
import type { Command } from './command.ts';
import { mustReach } from './must-reach.ts';

/** Applies migrations or takes them back, and gives the app's role its rights. */
export const migrateCommand: Command = async ({ driver, schema, options, print }) => {
  await mustReach(driver);
  const state = await schemaState(driver, schema);
  if (state.kind === 'foreign') {
    print(`Schema ${schema} holds the tables of something else: name another one with --schema.`);
    return false;
  }
  const { down, count, appRole, createRole } = options;
  const limit = down ? { count: count ?? 1 } : count === undefined ? {} : { count };
  const done = await migrate(driver, { schema, direction: down ? 'down' : 'up', ...limit });
  for (const name of done) print(`${down ? 'taken back' : 'applied'}  ${name}`);
  if (done.length === 0) print('Nothing to do.');
  if (appRole !== undefined) {
    await grantAppRole(driver, schema, { name: appRole, create: createRole });
    print(`Role ${appRole} has its rights.`);
  }
  return true;
};
