import type { ToolServerRecord, ToolServerStore } from '../tool-server-store.ts';
import { frozenCopy } from './frozen-copy.ts';

/** A ToolServerStore of this process. */
export function inProcessToolServerStore(): ToolServerStore {
  const records = new Map<string, ToolServerRecord>();
  const keyOf = (tenantId: string, name: string) => JSON.stringify([tenantId, name]);
  return {
    put: async (record) => {
      const key = keyOf(record.tenantId, record.name);
      const version = records.get(key)?.version ?? 0;
      if (record.version !== version) return false;
      records.set(key, frozenCopy({ ...record, version: version + 1 }));
      return true;
    },
    get: async (tenantId, name) => records.get(keyOf(tenantId, name)) ?? null,
    list: async (tenantId) =>
      [...records.values()]
        .filter((record) => record.tenantId === tenantId)
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    delete: async (tenantId, name) => {
      records.delete(keyOf(tenantId, name));
    },
  };
}
