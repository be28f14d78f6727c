import type { ErrorCode } from '../errors/error-codes.ts';
import { StewardError } from '../errors/steward-error.ts';
import type {
  ArtifactReference,
  CompleteReason,
  PendingConfirmation,
  PendingInput,
  RunEvent,
  ToolOutcome,
  Usage,
} from '../events/run-event.ts';
import { isTerminal } from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type { CallRecord, RunEnd, RunRecord } from '../stores/run-store.ts';
import { notFound, RunReader, type RunSource } from './run-reader.ts';
import { isEnded, openPartOf, waitsForPerson } from './run-state.ts';
import { pendingConfirmations, pendingInputs } from './snapshot.ts';

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
 * is no such run. `isNew`: what was located is the state of the run now, and not that of an earlier day.
 */
export async function settledRun(
  source: RunSource,
  { maxParallelCalls, isNew }: { readonly maxParallelCalls: number; readonly isNew: boolean },
): Promise<RunRecord> {
  const located = await source.located;
  const run = isNew ? located : await current(source);
  if (isSettled(run, maxParallelCalls)) return orThrow(run);
  let asks = pendingInputs(run).length > 0;
  for await (const event of new RunReader(source, isNew ? undefined : afterOf(run))) {
    if (event.type === 'error') {
      throw new StewardError(event.code, event.message, { retryable: event.retryable });
    }
    asks ||= hasQuestion(event);
    if (!maySettle(event, asks)) continue;
    const now = await current(source);
    if (isSettled(now, maxParallelCalls)) return orThrow(now);
  }
  return orThrow(await current(source));
}

const afterOf = ({ lastCursor }: RunRecord) => lastCursor ?? undefined;

function hasQuestion(event: RunEvent): boolean {
  return event.type === 'input_requested' || (event.type === 'snapshot' && event.inputs.length > 0);
}

/** Whether a run may have ended, or wait for a person, after an event. Only then it is worth asking the store. */
function maySettle(event: RunEvent, asks: boolean): boolean {
  switch (event.type) {
    case 'tool_request':
      return event.requiresConfirmation;
    case 'tool_result':
      // The other calls go on while one of them asks the person; with the last of them, nobody else can move the run.
      return asks;
    default:
      return event.type === 'snapshot' || event.type === 'input_requested' || isTerminal(event);
  }
}

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
