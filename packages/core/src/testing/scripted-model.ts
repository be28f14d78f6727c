import { AssertionError } from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import type { ModelClient, ModelRequest } from '../model/model-client.ts';
import type { ModelError, ModelEvent } from '../model/model-events.ts';
import { requireTurn, unofferedTool } from './script-checks.ts';
import type { ScriptedTurn } from './scripted-turn.ts';
import { finishReasonOf, piecesOf, usageOf } from './turn-content.ts';

/** Makes a turn out of the request; `n` counts requests from 1. */
export type ScriptedTurnFunction = (
  request: ModelRequest,
  n: number,
) => ScriptedTurn | Promise<ScriptedTurn>;

/** A {@link ModelClient} that says what a test wrote down. */
export interface ScriptedModel extends ModelClient {
  /** Every request seen, in order; `messages` as they were then. */
  readonly requests: readonly ModelRequest[];
  /** Throws an `AssertionError` that says which turns were never asked for, or which requests had no turn. */
  assertComplete(): void;
}

/**
 * A model for tests: its n-th request gets the n-th turn of the script. Deterministic, without network, honours the
 * signal. A list is a script with an end; a function answers every request (endless loops of tool calls).
 *
 * What does not fit fails the turn with an error that is never retried (status 400) and names the turn: a request past
 * the end (`script_exhausted`), a call of a tool that was not offered (`tool_not_offered`), a turn function that threw
 * (`script_threw`). A mistake in the script itself is a `TypeError` that names the field.
 *
 * @example
 * ```ts
 * import { scriptedModel } from '@steward/core/testing';
 *
 * const model = scriptedModel([
 *   { toolCalls: [{ name: 'add', args: { a: 1, b: 2 } }] },
 *   (request) => ({ text: `The sum is ${request.messages.at(-1)?.content}.` }),
 * ]);
 * // new Assistant({ model, tools: [add] }) ... then:
 * console.log(model.requests.length);
 * ```
 */
export function scriptedModel(
  script: readonly (ScriptedTurn | ScriptedTurnFunction)[] | ScriptedTurnFunction,
): ScriptedModel {
  if (typeof script !== 'function') checkScript(script);
  const requests: ModelRequest[] = [];

  async function turnFor(request: ModelRequest, n: number): Promise<ScriptedTurn> {
    const entry = typeof script === 'function' ? script : script[n - 1];
    if (entry === undefined) return { error: exhausted(request, n, script.length) };
    if (typeof entry !== 'function') return entry;
    try {
      const turn = await entry(request, n);
      requireTurn(turn, `the turn made for request ${n}`);
      return turn;
    } catch (reason) {
      return {
        error: scriptError(
          'script_threw',
          `the turn function of request ${n} threw: ${reason instanceof Error ? reason.message : String(reason)}`,
        ),
      };
    }
  }

  return {
    requests,
    async *stream(request, { signal }) {
      const n = requests.push({ ...request, messages: [...request.messages] });
      const turn = await turnFor(request, n);
      const wrong = turn.unofferedTools ? undefined : unofferedTool(turn, request);
      if (wrong) {
        const error = scriptError('tool_not_offered', `turn ${n} ${wrong}`);
        yield { type: 'error', error };
        return;
      }
      yield* play(turn, n, signal);
    },
    assertComplete() {
      if (typeof script === 'function') return;
      const message = incomplete(script, requests);
      if (message) throw new AssertionError({ message });
    },
  };
}

/** Says the pieces of a turn until its fault, its end or an abort. */
async function* play(
  turn: ScriptedTurn,
  n: number,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const pieces = piecesOf(turn, `call_${n}`);
  const { how, after } = endOf(turn);
  if (signal.aborted) return yield abortedEvent;
  if (pieces.length > 0 || turn.error === undefined) yield { type: 'start', requestId: `req_${n}` };
  for (const piece of pieces.slice(0, after)) {
    // A turn of the event loop between pieces: what a test does on one (cancel, leave) happens before the next.
    await setImmediate();
    if (signal.aborted) return yield abortedEvent;
    yield piece.type === 'tool_call' ? { type: 'tool_call', ...piece.call } : piece;
  }
  if (how === 'stall') yield await stall(signal);
  if (how === 'whole') yield lastEvent(turn, n, pieces.length);
}

/** How a turn ends, and after how many pieces. */
function endOf({ stallAfter, cutAfter }: ScriptedTurn): {
  readonly how: 'stall' | 'cut' | 'whole';
  readonly after: number;
} {
  if (stallAfter !== undefined && stallAfter <= (cutAfter ?? Infinity)) {
    return { how: 'stall', after: stallAfter };
  }
  return cutAfter === undefined
    ? { how: 'whole', after: Infinity }
    : { how: 'cut', after: cutAfter };
}

const abortedEvent: ModelEvent = {
  type: 'error',
  error: { status: null, code: 'aborted', type: null, message: 'The request was aborted.' },
};

function lastEvent(turn: ScriptedTurn, n: number, pieces: number): ModelEvent {
  if (turn.error !== undefined) return { type: 'error', error: modelError(turn.error) };
  return {
    type: 'finish',
    reason: finishReasonOf(turn),
    responseId: `response_${n}`,
    model: 'scripted',
    usage: usageOf(turn, pieces),
    verbatim: null,
  };
}

function stall(signal: AbortSignal): Promise<ModelEvent> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(abortedEvent);
    signal.addEventListener('abort', () => resolve(abortedEvent), { once: true });
  });
}

function modelError(error: string | Partial<ModelError>): ModelError {
  const given = typeof error === 'string' ? { message: error } : error;
  return {
    status: 500,
    code: null,
    type: 'server_error',
    message: 'The scripted model failed.',
    ...given,
  };
}

/** Status 400: a mistake in a test must not be tried again. */
function scriptError(code: string, message: string): ModelError {
  return { status: 400, code, type: 'scripted_model', message: `scriptedModel: ${message}` };
}

function exhausted(request: ModelRequest, n: number, turns: number): ModelError {
  const last = request.messages.at(-1);
  const seen = last ? `Its last message is ${last.role}: ${brief(last.content)}. ` : '';
  const has = turns === 1 ? '1 turn' : `${turns} turns`;
  return scriptError(
    'script_exhausted',
    `request ${n} came, but the script has ${has}. ${seen}Add turn ${n}, or find out why the model was asked again.`,
  );
}

function incomplete(
  script: readonly (ScriptedTurn | ScriptedTurnFunction)[],
  requests: readonly ModelRequest[],
): string | undefined {
  const extra = requests[script.length];
  if (extra) return exhausted(extra, script.length + 1, script.length).message;
  const unused = script.slice(requests.length);
  if (unused.length === 0) return undefined;
  const lines = unused.map((turn, i) => `  turn ${requests.length + i + 1}: ${brief(turn)}`);
  const came = requests.length === 1 ? '1 request came' : `${requests.length} requests came`;
  return `scriptedModel: ${came}, so ${unused.length} of ${script.length} turns were never asked for:\n${lines.join('\n')}`;
}

function brief(value: unknown): string {
  const text =
    typeof value === 'function' ? '(a function)' : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function checkScript(script: readonly (ScriptedTurn | ScriptedTurnFunction)[]): void {
  if (!Array.isArray(script)) throw new TypeError('script must be an array of turns or a function');
  script.forEach((turn, index) => {
    if (typeof turn !== 'function') requireTurn(turn, `script[${index}]`);
  });
}
