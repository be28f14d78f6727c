import { verifyChain } from '../audit-chain.ts';
import type { AuditLog } from '../audit-log.ts';
import { addEntry, seal } from './audit-rows.ts';
import { belongsTo, type InProcessDatabase } from './database.ts';

/** An AuditLog over the tables of this process. */
export function inProcessAuditLog(db: InProcessDatabase): AuditLog {
  const sealed = (chain: string) => {
    const found = db.chains.get(chain);
    return found === undefined ? [] : seal(found);
  };
  return {
    append: async (entry) => {
      const record = seal(addEntry(db, entry)).at(-1);
      if (record === undefined) throw new Error('A chain is empty right after an entry was added.');
      return record;
    },
    read: async (owner, chain) => sealed(chain).filter((record) => belongsTo(record, owner)),
    verify: async (chain) => verifyChain(sealed(chain)),
  };
}
