import type { AuditLog } from '../audit-log.ts';
import { belongsTo, type InProcessDatabase } from './database.ts';
import { frozenCopy } from './frozen-copy.ts';

/** An AuditLog over the tables of this process. What it does is loaded with the first run, or when first asked. */
export function inProcessAuditLog(db: InProcessDatabase): AuditLog {
  const sealed = async (chain: string) => {
    const { seal } = await import('./audit-rows.ts');
    const found = db.chains.get(chain);
    return found === undefined ? [] : seal(found);
  };
  return {
    append: async (given) => {
      const entry = frozenCopy(given);
      const { addEntry, seal } = await import('./audit-rows.ts');
      const record = seal(addEntry(db, entry)).at(-1);
      if (record === undefined) throw new Error('A chain is empty right after an entry was added.');
      return record;
    },
    read: async (owner, chain) =>
      (await sealed(chain)).filter((record) => belongsTo(record, owner)),
    verify: async (chain) => {
      const { verifyChain } = await import('../audit-chain.ts');
      return verifyChain(await sealed(chain));
    },
  };
}
