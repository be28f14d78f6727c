import { schemaState } from '../schema/migrations.ts';
import type { Command } from './command.ts';
import { mustReach } from './must-reach.ts';

/** Prints each migration with its state. */
export const status: Command = async ({ driver, schema, print }) => {
  await mustReach(driver);
  const state = await schemaState(driver, schema);
  if (state.kind === 'absent') {
    print(`Schema ${schema} has no tables yet.`);
    return false;
  }
  if (state.kind === 'foreign') {
    print(`Schema ${schema} holds the tables of something else.`);
    return false;
  }
  for (const name of state.applied) print(`applied  ${name}`);
  for (const name of state.pending) print(`missing  ${name}`);
  for (const name of state.unknown) print(`newer    ${name}`);
  return state.pending.length === 0 && state.unknown.length === 0;
};
