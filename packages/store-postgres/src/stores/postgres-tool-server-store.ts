import type { ToolServerRecord, ToolServerStore } from '@steward/core';
import type { Database } from '../database/database.ts';
import { json } from './sql-values.ts';

/** A ToolServerStore in a table of a schema. */
export function postgresToolServerStore(db: Database): ToolServerStore {
  const read = (tenantId: string, name: string | null) =>
    db.call<readonly ToolServerRecord[]>('read_tool_servers', [tenantId, name], 'repeatable');
  return {
    put: ({ tenantId, name, config, pinned, version }) => {
      const values = [tenantId, name, json(config), json(pinned), version];
      return db.call('put_tool_server', values, 'once');
    },
    get: async (tenantId, name) => (await read(tenantId, name))[0] ?? null,
    list: (tenantId) => read(tenantId, null),
    delete: (tenantId, name) => db.run('delete_tool_server', [tenantId, name], 'repeatable'),
  };
}
