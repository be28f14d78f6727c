import { StewardError } from '../errors/steward-error.ts';
import type {
  CompleteReason,
  PendingConfirmation,
  PendingInput,
  ToolOutcome,
  Usage,
} from '../events/run-event.ts';
import type { Json } from '../internal/json.ts';
import type { RunRecord } from '../stores/run-store.ts';
import { notFound, RunReader, type RunSource } from './run-reader.ts';
import { isEnded, pendingConfirmations, pendingInputs } from './snapshot.ts';

/** What a tool call of a run came to. */
export interface ToolCallSummary {
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
  /** `null` while it has no result. */
  readonly outcome: ToolOutcome | null;
  readonly content: string | null;
}

/** What a run came to, or where it waits. */
export interface RunResult<Output = undefined> {
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
export async function settledRun(source: RunSource): Promise<RunRecord> {
  const located = await source.located;
  let run = await current(source);
  if (isSettled(run)) return ended(run);
  const reader = new RunReader(source, located.lastCursor ?? undefined);
  for await (const event of reader) {
    switch (event.type) {
      case 'complete':
      case 'cancelled':
        return current(source);
      case 'error':
        throw new StewardError(event.code, event.message, { retryable: event.retryable });
      case 'tool_request':
      case 'input_requested':
      case 'tool_result':
      case 'snapshot':
        run = await current(source);
        if (isSettled(run)) return ended(run);
    }
  }
  return current(source);
}

/** The result of a run as it is in the store. */
export function resultOf(run: RunRecord): RunResult<Json> {
  const { end } = run;
  return {
    runId: run.runId,
    conversationId: run.conversationId,
    status: end ? (end.status === 'cancelled' ? 'cancelled' : 'completed') : 'waiting',
    text: end?.text ?? run.partial?.text ?? run.turns.at(-1)?.message.content ?? '',
    output: end?.output,
    refusal: end?.refusal,
    usage: run.usage,
    finishReason: end?.finishReason ?? null,
    toolCalls: run.calls.map(({ callId, tool, args, result }) => ({
      callId,
      tool,
      args,
      outcome: result?.outcome ?? null,
      content: result?.content ?? null,
    })),
    confirmations: pendingConfirmations(run),
    inputs: pendingInputs(run),
  };
}

async function current({ stores, runId, owner }: RunSource): Promise<RunRecord> {
  const run = await stores.runs.load(runId, owner);
  if (!run) throw notFound(runId);
  return run;
}

function isSettled(run: RunRecord): boolean {
  if (isEnded(run.status)) return true;
  if (run.status === 'waiting') return pendingConfirmations(run).length > 0;
  return waitsForAnswers(run);
}

/** Whether every call that is at work waits for the answer of a person. */
function waitsForAnswers(run: RunRecord): boolean {
  const asking = new Set(pendingInputs(run).map((input) => input.callId));
  if (asking.size === 0) return false;
  return run.calls.every((call) => call.status !== 'started' || asking.has(call.callId));
}

function ended(run: RunRecord): RunRecord {
  const error = run.end?.error;
  if (error) throw new StewardError(error.code, error.message, { retryable: error.retryable });
  return run;
}
