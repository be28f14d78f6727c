// The door of @steward/core/mcp-server: tools for others to call. Named exports only.

export type { CallAnswer, ExecutionLedger, LedgerEntry } from './execution-ledger.ts';
export type { ListenOptions } from './http-listener.ts';
export {
  mcpServer,
  type ToolServer,
  type ToolServerOptions,
} from './mcp-server.ts';
