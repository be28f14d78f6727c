import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';
import type {
  ArtifactReference,
  CompleteReason,
  PendingConfirmation,
  PendingInput,
  RunEventType,
  ToolOutcome,
  Usage,
} from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type { CallRecord, RunEnd, RunRecord } from '../stores/run-store.ts';
import { notFound, RunReader, type RunSource } from './run-reader.ts';
import {
  isEnded,
  openPartOf,
  pendingConfirmations,
  pendingInputs,
  waitsForPerson,
} from './snapshot.ts';

/** What a tool call of a run came to. */
export interface ToolCallSummary {
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
  /** `null` while it has no result. */
  readonly outcome: ToolOutcome | null;
  readonly content: string | null;
  /** Why it did not succeed. */
  readonly code?: ErrorCode;
  /** Where the whole of a large result is. */
  readonly artifact?: ArtifactReference;
}

/** What a run came to, or where it waits. */
export interface RunResult<Output = unknown> {
  readonly runId: string;
  readonly conversationId: string;
  /** `waiting`: nothing but a person can move the run; decide and ask for the result again. */
  readonly status: 'completed' | 'waiting' | 'cancelled';
  readonly text: string;
  /** The parsed answer where an `output` schema was given and the run ended with `stop`. */
  readonly output: Output | undefined;
  readonly refusal: string | undefined;
  readonly usage: Usage;
  /** `null` unless completed. */
  readonly finishReason: CompleteReason | null;
  readonly toolCalls: readonly ToolCallSummary[];
  /** What a person has yet to decide. */
  readonly confirmations: readonly PendingConfirmation[];
  /** What a person has yet to answer. */
  readonly inputs: readonly PendingInput[];
}

/**
 * Waits until a run has ended or waits for a person. Rejects with the run's error when it ended in one, or when there
 * is no such run.
 */
export async function settledRun(source: RunSource, maxParallelCalls: number): Promise<RunRecord> {
  await source.located;
  const run = await current(source);
  if (isSettled(run, maxParallelCalls)) return orThrow(run);
  for await (const event of new RunReader(source, run.lastCursor ?? undefined)) {
    if (event.type === 'error') {
      throw new StewardError(event.code, event.message, { retryable: event.retryable });
    }
    if (!mayHaveSettled.has(event.type)) continue;
    const now = await current(source);
    if (isSettled(now, maxParallelCalls)) return orThrow(now);
  }
  return orThrow(await current(source));
}

/** After these a run may have ended or wait for a person. */
const mayHaveSettled: ReadonlySet<RunEventType> = new Set([
  'complete',
  'cancelled',
  'tool_request',
  'input_requested',
  'tool_result',
  'snapshot',
]);

/** The result of a run as it is in the store. */
export function resultOf(run: RunRecord): RunResult<Json> {
  const { runId, conversationId, usage, calls, end } = run;
  return {
    runId,
    conversationId,
    status: statusOf(end),
    text: end ? end.text : textSoFar(run),
    output: end?.output,
    refusal: end?.refusal,
    usage,
    finishReason: end?.finishReason ?? null,
    toolCalls: calls.map(summary),
    confirmations: pendingConfirmations(run),
    inputs: pendingInputs(run),
  };
}

function statusOf(end: RunEnd | null): RunResult['status'] {
  if (end === null) return 'waiting';
  return end.status === 'cancelled' ? 'cancelled' : 'completed';
}

function textSoFar(run: RunRecord): string {
  return openPartOf(run)?.text || (run.turns.at(-1)?.message.content ?? '');
}

function summary({ callId, tool, args, result }: CallRecord): ToolCallSummary {
  return { callId, tool, args, ...(result ?? { outcome: null, content: null }) };
}

async function current({ stores, runId, owner }: RunSource): Promise<RunRecord> {
  const run = await stores.runs.load(runId, owner);
  if (!run) throw notFound(runId);
  return run;
}

function isSettled(run: RunRecord, maxParallelCalls: number): boolean {
  if (isEnded(run.status)) return true;
  if (run.status === 'waiting') return pendingConfirmations(run).length > 0;
  return waitsForAnswers(run, maxParallelCalls);
}

/** Whether every call that is at work, or may start now, waits for a person. */
function waitsForAnswers(run: RunRecord, maxParallelCalls: number): boolean {
  const asking = new Set(pendingInputs(run).map((input) => input.callId));
  if (asking.size === 0) return false;
  const isStuck = asking.size >= maxParallelCalls;
  return run.calls.every((call) => {
    if (call.result || asking.has(call.callId) || waitsForPerson(call)) return true;
    return isStuck && call.status !== 'started';
  });
}

/** The run, unless it ended in an error. */
function orThrow(run: RunRecord): RunRecord {
  const error = run.end?.error;
  if (error) throw new StewardError(error.code, error.message, { retryable: error.retryable });
  return run;
}
