import { examine, type Finding } from '../schema/examination.ts';
import type { Command } from './command.ts';

const marks: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  failed: 'FAILED ',
};

/** Prints what the stores rely on, up to the first thing that fails. */
export const doctor: Command = async ({ driver, schema, print }) => {
  const findings = await examine(driver, schema);
  for (const { check, state, says } of findings)
    print(`${check.padEnd(11)} ${marks[state]} ${says}`);
  return findings.every(({ state }) => state !== 'failed');
};
