import { readFileSync } from 'node:fs';
import type { ToolName } from './plan.ts';

/** What a replica asks the tool server to do. */
export interface ToolOrder {
  readonly tool: ToolName;
  readonly key: string;
  readonly runId: string;
  readonly attempt: number;
  readonly replica: string;
}

/** One call that reached the tool server; `isApplied` unless it was known by its key. */
export interface LedgerEntry extends ToolOrder {
  readonly at: number;
  readonly isApplied: boolean;
}

export function readLedger(file: string): LedgerEntry[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LedgerEntry);
}
