import type { CallRecord, PlannedCall } from './run-store.ts';

/** A planned call as it enters the ledger. */
export function newCallRecord(call: PlannedCall): CallRecord {
  return {
    ...call,
    status: 'planned',
    starts: 0,
    startedBy: null,
    result: null,
    confirmation: null,
  };
}
