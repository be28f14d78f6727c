import { LRUCache } from 'lru-cache';
import { StewardError } from '../errors/steward-error.ts';
import { newId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { CallAnswer } from './execution-ledger.ts';
import type { Caller } from './server-calls.ts';

/** What a tool asks a person. */
export type Question = Parameters<ToolContext['requestInput']>[0];

/** How a round of a call ended: with its answer, or with a question. */
export type Round =
  | { readonly kind: 'answered'; readonly answer: CallAnswer }
  | { readonly kind: 'asks'; readonly question: Question; readonly state: string };

/** The request in whose course a call runs at the moment. */
export interface Serving {
  readonly signal: AbortSignal;
  readonly progress: ToolContext['progress'];
}

/** What a call runs with. */
type CallContext = Pick<ToolContext, 'signal' | 'progress' | 'requestInput'>;

const MAX_SUSPENDED = 1_000;
/** How long a person may think. */
const QUESTION_MS = 15 * 60 * 1_000;

/**
 * A call that may stop to ask a person. The protocol answers the request with the question, and another request brings the
 * answer: between both the call waits here, in this process.
 */
class OpenCall {
  readonly caller: Caller;
  readonly #stop = new AbortController();
  #serving: Serving | undefined;
  #asked = Promise.withResolvers<Question>();
  #answered = Promise.withResolvers<Json>();
  #result: Promise<CallAnswer> | undefined;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  readonly context: CallContext = {
    signal: this.#stop.signal,
    progress: (update) => this.#serving?.progress(update),
    requestInput: (question: Question): Promise<Json> => {
      this.#answered = Promise.withResolvers<Json>();
      this.#answered.promise.catch(() => undefined);
      this.#asked.resolve(question);
      return this.#answered.promise;
    },
  };

  start(result: Promise<CallAnswer>): void {
    this.#result = result;
  }

  answer(value: Json): void {
    this.#answered.resolve(value);
  }

  /** Nobody will answer any more. */
  expire(): void {
    this.#answered.reject(new StewardError('confirmation_expired', 'Nobody answered in time.'));
  }

  /** Runs until there is an answer or a question. A request that is cancelled meanwhile stops the call. */
  async next(serving: Serving): Promise<CallAnswer | Question> {
    this.#serving = serving;
    const onAbort = () => this.#stop.abort(serving.signal.reason);
    serving.signal.addEventListener('abort', onAbort, { once: true });
    if (serving.signal.aborted) onAbort();
    try {
      return await Promise.race([this.#result as Promise<CallAnswer>, this.#asked.promise]);
    } finally {
      // Before the next question can come: a tool may ask again as soon as it has its answer.
      this.#asked = Promise.withResolvers<Question>();
      serving.signal.removeEventListener('abort', onAbort);
      this.#serving = undefined;
    }
  }
}

/** The calls of a server that wait for a person. */
export class SuspendedCalls {
  readonly #waiting = new LRUCache<string, OpenCall>({
    max: MAX_SUSPENDED,
    ttl: QUESTION_MS,
    ttlAutopurge: true,
    dispose: (call, _, reason) => {
      if (reason !== 'delete') call.expire();
    },
  });

  /** Starts a call, given what it runs with. */
  begin(
    caller: Caller,
    serving: Serving,
    start: (context: CallContext) => Promise<CallAnswer>,
  ): Promise<Round> {
    const call = new OpenCall(caller);
    call.start(start(call.context));
    return this.#round(call, serving);
  }

  /** Goes on with a call; `null` when there is none of this caller. */
  async resume(
    state: string,
    { caller, answer }: { readonly caller: Caller; readonly answer: Json },
    serving: Serving,
  ): Promise<Round | null> {
    const call = this.#waiting.get(state);
    if (call === undefined || !isSame(call.caller, caller)) return null;
    this.#waiting.delete(state);
    const round = this.#round(call, serving);
    call.answer(answer);
    return round;
  }

  /** Whether a call waits under this state, of whomever. */
  has(state: string): boolean {
    return this.#waiting.has(state);
  }

  /** Gives up all that wait. */
  close(): void {
    for (const call of this.#waiting.values()) call.expire();
    this.#waiting.clear();
  }

  async #round(call: OpenCall, serving: Serving): Promise<Round> {
    const came = await call.next(serving);
    if ('outcome' in came) return { kind: 'answered', answer: came };
    const state = newId('question');
    this.#waiting.set(state, call);
    return { kind: 'asks', question: came, state };
  }
}

const isSame = (a: Caller, b: Caller): boolean =>
  a.service === b.service &&
  a.principal.userId === b.principal.userId &&
  a.principal.tenantId === b.principal.tenantId;
