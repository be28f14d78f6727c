// Everything that the RunStore of this process does, in one place to be loaded by the first run.
export { decide, pause } from './confirmations.ts';
export { create } from './create.ts';
export { finish } from './finish.ts';
export { commitTurn, finishCall, startCall } from './ledger.ts';
export { claim, release, renew, sweep } from './ownership.ts';
export { answerInput, applySteers, requestCancel, requestInput, steer } from './person.ts';
export { appendEvents, fenced, snapshotOf, update } from './run-rows.ts';
