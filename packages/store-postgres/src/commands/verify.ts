import { Database } from '../database/database.ts';
import { postgresAuditLog } from '../stores/postgres-audit-log.ts';
import type { Command } from './command.ts';
import { mustHaveTables } from './must-reach.ts';

/** Chains that are asked for at once. */
const page = 500;

/** Computes audit chains anew and prints those that were tampered with. */
export const verify: Command = async ({ driver, schema, words, print }) => {
  await mustHaveTables(driver, schema);
  const db = new Database(driver, schema);
  const audit = postgresAuditLog(db);
  let checked = 0;
  let broken = 0;
  for await (const chain of words.length > 0 ? words : allChains(db)) {
    const verdict = await audit.verify(chain);
    checked += 1;
    if (verdict.valid) continue;
    broken += 1;
    print(`${chain}: record ${verdict.brokenAt} is not what was written`);
  }
  print(`${checked} chains, ${broken} broken`);
  return broken === 0;
};

async function* allChains({ driver, schema }: Database): AsyncGenerator<string> {
  const text = `select distinct chain from ${schema}.audit where chain > $1 order by chain limit ${page}`;
  for (let last = ''; ; ) {
    const rows = await driver.query(text, [last]);
    for (const { chain } of rows) {
      last = String(chain);
      yield last;
    }
    if (rows.length < page) return;
  }
}
