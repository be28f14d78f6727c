import pRetry from 'p-retry';
import type { StewardError } from '../errors/steward-error.ts';
import type { AssistantMessage } from '../events/message.ts';
import type { CompleteReason } from '../events/run-event.ts';
import { defined } from '../internal/defined.ts';
import { cleanText } from '../internal/storable.ts';
import type { ModelRequest } from '../model/model-client.ts';
import { reserveTurn, type TurnReservation } from '../policies/budgets.ts';
import type { CommittedTurn } from '../stores/run-store.ts';
import { turnReservation } from '../stores/usage-store.ts';
import { isRetryable, retryWait } from './model-failure.ts';
import { dropResponse, isLeftOpen } from './open-response.ts';
import type { OwnedRun } from './owned-run.ts';
import { commitTurn, planCalls } from './plan-calls.ts';
import { type ReadTurn, readTurn } from './read-turn.ts';
import { inTurnSpan } from './spans.ts';
import { stopReason } from './stop-conditions.ts';
import { turnRequest } from './turn-request.ts';

/** What came of a model turn. */
export type TurnOutcome =
  | { readonly kind: 'committed' }
  /** It was not taken, or cut short and nothing of it was committed: the run ends with what was said. */
  | { readonly kind: 'stopped'; readonly reason: CompleteReason };

/** One turn of the model: ask, stream, commit it with its planned calls. Failures on the way are tried again. */
export async function takeModelTurn(run: OwnedRun): Promise<TurnOutcome> {
  const reason = stopReason(run);
  if (reason) return { kind: 'stopped', reason };
  const turn = run.turns.length + 1;
  const request = await turnRequest(run, turn);
  const reservation = await reserve(run, turn, request);
  if (!reservation.granted) return { kind: 'stopped', reason: 'budget' };
  const read = await readAndSettle(run, turn, { request, reservation });
  if (read.stalled) return { kind: 'stopped', reason: 'stalled' };
  return commit(run, turn, read);
}

/** Reads the turn and accounts for all its tries, however it ends: what fails or is aborted is billed as well. */
async function readAndSettle(
  run: OwnedRun,
  turn: number,
  { request, reservation }: { request: ModelRequest; reservation: TurnReservation },
): Promise<ReadTurn> {
  let failed = 0;
  let used: number | undefined;
  // What a failed or cut try cost is not known: its prompt, once the provider took it, and what was said.
  const takeEstimate = () => {
    const { promptTokens } = reservation;
    const tokens =
      run.turnAccepted && !isLeftOpen(run) ? promptTokens + Math.ceil(run.openText.length / 4) : 0;
    run.turnAccepted = false;
    return tokens;
  };
  run.turnAccepted = false;
  try {
    const read = await inTurnSpan(run, () =>
      readWithRetries(run, turn, {
        request,
        onFailed: () => {
          failed += takeEstimate();
        },
      }),
    );
    used = read.finish?.usage?.totalTokens;
    return read;
  } finally {
    await reservation.settle(failed + (used ?? takeEstimate()));
  }
}

function reserve(run: OwnedRun, turn: number, request: ModelRequest): Promise<TurnReservation> {
  const { record, settings, fence } = run;
  return reserveTurn(settings.stores.usage, settings.budgets, {
    owner: record,
    id: turnReservation(fence, turn),
    promptTokens: () => Math.ceil(JSON.stringify(request.messages).length / 4),
  });
}

/**
 * Reads the turn; a try that failed is repeated after a wait, and what it had said is taken back first. The first try is
 * made here: most turns need no other, and hold nothing for one while they stream.
 */
function readWithRetries(
  run: OwnedRun,
  turn: number,
  { request, onFailed }: { readonly request: ModelRequest; readonly onFailed: () => void },
): Promise<ReadTurn> {
  const read = () => readOrAskAnew(run, turn, request);
  return read().catch((failure: unknown) => {
    const { limits } = run.settings;
    return pRetry((attempt) => (attempt === 1 ? Promise.reject(failure) : read()), {
      retries: limits.modelRetries,
      // The waits are ours (full jitter, Retry-After, the assistant's clock), made in onFailedAttempt.
      minTimeout: 0,
      factor: 1,
      shouldRetry: ({ error }) => !run.stopReason && isRetryable(error, limits.maxRetryWaitMs),
      onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
        onFailed();
        if (run.stopReason || retriesLeft === 0) return;
        if (!isRetryable(error, limits.maxRetryWaitMs)) return;
        await tryAgainLater(run, turn, error as StewardError, attemptNumber);
      },
    });
  });
}

/** Nothing waits here beside the turn itself: of most turns no answer was begun before. */
function readOrAskAnew(run: OwnedRun, turn: number, request: ModelRequest): Promise<ReadTurn> {
  return run.openResponse === null
    ? readTurn(run, turn, request)
    : resumeOrAskAnew(run, turn, request);
}

/** Where the provider does not have the answer any more that was begun for this turn, it is asked for a new one. */
async function resumeOrAskAnew(
  run: OwnedRun,
  turn: number,
  request: ModelRequest,
): Promise<ReadTurn> {
  try {
    return await readTurn(run, turn, request);
  } catch (reason) {
    const isGone = run.openResponse === null && !run.turnAccepted;
    if (!isGone || run.stopReason) throw reason;
    return readTurn(run, turn, request);
  }
}

async function tryAgainLater(
  run: OwnedRun,
  turn: number,
  failure: StewardError,
  attempt: number,
): Promise<void> {
  run.log.show({ type: 'warning', code: failure.code, message: `${failure.detail} Trying again.` });
  await run.wait(retryWait(failure, attempt, run.settings.limits));
  if (!run.turnShown) return;
  run.openText = '';
  run.turnShown = false;
  await run.log.store([{ type: 'turn_reset', turn, reason: failure.detail }], (events) =>
    run.settings.stores.runs.append(run.fence, events),
  );
}

async function commit(run: OwnedRun, turn: number, read: ReadTurn): Promise<TurnOutcome> {
  // The last of the calls of an answer that was cut off may be incomplete; none of them is made.
  const toolCalls = read.tooLong ? [] : read.toolCalls;
  if (read.tooLong) await dropResponse(run);
  const { tools } = run.settings;
  const calls = await planCalls(run, turn, toolCalls, (name) => tools.byModelName(name));
  const committed: CommittedTurn = {
    turn,
    message: messageOf(read, toolCalls),
    finishReason: read.tooLong ? 'length' : (read.finish?.reason ?? null),
    responseId: read.finish?.responseId ?? null,
    usage: read.finish?.usage ?? null,
  };
  await commitTurn(run, committed, calls);
  return { kind: 'committed' };
}

function messageOf(
  { text, refusal, finish }: ReadTurn,
  toolCalls: ReadTurn['toolCalls'],
): AssistantMessage {
  const content = cleanText(text);
  return {
    role: 'assistant',
    content,
    ...defined({
      refusal: cleanText(refusal) || undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      // The provider's own items hold the text as it was, which not every store takes.
      verbatim: content === text ? (finish?.verbatim ?? undefined) : undefined,
    }),
  };
}
