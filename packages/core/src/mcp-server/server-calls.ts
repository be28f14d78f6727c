import { boundResult } from '../artifacts/bound-result.ts';
import { StewardError } from '../errors/steward-error.ts';
import { defined } from '../internal/defined.ts';
import { digest } from '../internal/digest.ts';
import { newId } from '../internal/ids.ts';
import type { Json } from '../internal/json.ts';
import type { ArtifactStore } from '../stores/artifact-store.ts';
import type { CallResult, Owner } from '../stores/run-store.ts';
import type { Principal, Tool, ToolContext } from '../tools/tool.ts';
import type { CallAnswer, ExecutionLedger } from './execution-ledger.ts';
import type { ServerMetrics } from './server-metrics.ts';

/** Who calls: the service that was proved, and the user in whose name it does. */
export interface Caller {
  readonly service: string;
  readonly principal: Principal;
}

/** One call of a request. */
export interface AskedCall {
  readonly tool: string;
  readonly args: unknown;
}

/** Calls that belong together: one over native MCP, one or more in an envelope of the REST contract. */
export interface CallRequest {
  readonly caller: Caller;
  /** The same for every attempt; `null` when the caller named none. */
  readonly key: string | null;
  readonly calls: readonly AskedCall[];
  /** Keeps results in the artifact store whatever their size. */
  readonly keepAll?: boolean;
  readonly signal: AbortSignal;
  readonly progress: ToolContext['progress'];
  readonly requestInput: ToolContext['requestInput'];
}

/** What is wrong with a call of a request. */
export interface CallProblem {
  readonly index: number;
  readonly tool: string;
  readonly message: string;
}

/** Calls were refused because of what they are; none of the request has run. */
export class InvalidCalls extends StewardError {
  readonly problems: readonly CallProblem[];

  constructor(problems: readonly CallProblem[]) {
    super(
      'invalid_argument',
      problems.map(({ tool, message }) => `${tool}: ${message}`).join('; '),
    );
    this.problems = problems;
  }
}

/** What the calls of a server need. */
export interface ServerCallsOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly ledger: ExecutionLedger;
  readonly artifacts: ArtifactStore;
  readonly metrics: ServerMetrics;
  readonly resultLimitBytes: number;
  readonly toolTimeoutMs: number;
  readonly maxParallelCalls: number;
  /** The tool that reads large results. */
  readonly reader: string;
}

interface ValidCall {
  readonly tool: Tool;
  readonly args: Json;
}

interface Running {
  readonly digest: string;
  readonly answers: Promise<readonly CallAnswer[]>;
}

/**
 * The gate of a server: every call of every protocol goes through it. Arguments are checked before anything runs, a call whose
 * key is known is answered from the ledger, and what a tool gives is bounded.
 */
export class ServerCalls {
  readonly #options: ServerCallsOptions;
  readonly #running = new Map<string, Running>();
  #active = 0;

  constructor(options: ServerCallsOptions) {
    this.#options = options;
  }

  /**
   * The answers, in the order of the calls. Throws {@link InvalidCalls}, `request_conflict` or `rate_limited` when nothing of
   * the request has run.
   */
  async perform(request: CallRequest): Promise<readonly CallAnswer[]> {
    const calls = await this.#validated(request.calls);
    const asked = digest([request.keepAll ?? false, request.calls]);
    const key = keyOf(request);
    const running = this.#running.get(key);
    if (running !== undefined) {
      if (running.digest !== asked) throw conflict();
      for (const { tool } of calls) this.#options.metrics.answered(tool.name, 'replayed');
      return running.answers;
    }
    if (this.#active + calls.length > this.#options.maxParallelCalls)
      throw new StewardError('rate_limited', 'The server has too many calls; try again later.');
    this.#active += calls.length;
    const answers = this.#begun(request, calls, { key, digest: asked });
    this.#running.set(key, { digest: asked, answers });
    try {
      return await answers;
    } finally {
      this.#active -= calls.length;
      this.#running.delete(key);
    }
  }

  /** Waits until no call runs. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ answers }) => answers));
  }

  async #validated(calls: readonly AskedCall[]): Promise<readonly ValidCall[]> {
    const { tools, metrics } = this.#options;
    const problems: CallProblem[] = [];
    const valid: ValidCall[] = [];
    for (const [index, { tool: name, args }] of calls.entries()) {
      const tool = tools.get(name);
      const checked = await tool?.validate(args);
      if (tool !== undefined && checked?.valid) valid.push({ tool, args: checked.value });
      else {
        if (tool !== undefined) metrics.answered(name, 'refused');
        const message = checked?.valid === false ? checked.message : 'there is no such tool';
        problems.push({ index, tool: name, message });
      }
    }
    if (problems.length > 0) throw new InvalidCalls(problems);
    return valid;
  }

  /** All calls are noted before the first one starts: the first tells whether the key was used for something else. */
  async #begun(
    request: CallRequest,
    calls: readonly ValidCall[],
    { key, digest: asked }: { readonly key: string; readonly digest: string },
  ): Promise<readonly CallAnswer[]> {
    const { ledger, metrics } = this.#options;
    const starts: (() => Promise<CallAnswer>)[] = [];
    for (const [index, call] of calls.entries()) {
      const own = `${key}:${index}`;
      const known = await ledger.begin(own, asked);
      if (known !== null && known.digest !== asked) throw conflict();
      const answer = known?.answer ?? (known === null ? null : lostAnswer(call));
      if (answer === null) starts.push(() => this.#run(request, call, own));
      else {
        metrics.answered(call.tool.name, 'replayed');
        starts.push(async () => answer);
      }
    }
    return Promise.all(starts.map((start) => start()));
  }

  async #run(request: CallRequest, call: ValidCall, key: string): Promise<CallAnswer> {
    const ended = this.#options.metrics.started(call.tool.name);
    const answer = await this.#answer(request, call, key);
    ended(answer.outcome);
    await this.#options.ledger.finish(key, answer);
    return answer;
  }

  /** Never throws: what a tool throws is an answer. */
  async #answer(request: CallRequest, { tool, args }: ValidCall, key: string): Promise<CallAnswer> {
    const timeoutMs = tool.timeoutMs ?? this.#options.toolTimeoutMs;
    const late = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([request.signal, late]);
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    const stop = () => ended.reject(stopped(late.aborted, timeoutMs));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const context = contextOf(request, { key, signal });
      const working = (async () =>
        this.#bounded(await tool.execute(args, context), request, signal))();
      return await Promise.race([working, ended.promise]);
    } catch (error) {
      const { code, detail } = StewardError.from(error, 'tool_failed');
      return { outcome: 'failed', content: detail.slice(0, 4_000).toWellFormed(), code };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #bounded(
    value: unknown,
    { caller, keepAll = false }: CallRequest,
    signal: AbortSignal,
  ): Promise<CallAnswer> {
    const { artifacts, resultLimitBytes, reader } = this.#options;
    const bounds = { artifacts, owner: ownerOf(caller), runId: '', reader, signal };
    const json = jsonOf(value);
    const text = json === undefined ? undefined : JSON.stringify(json);
    const fits = text !== undefined && Buffer.byteLength(text) <= resultLimitBytes;
    if (json === undefined || text === undefined || !fits)
      return answerOf(await boundResult(value, { ...bounds, limitBytes: resultLimitBytes }));
    const content = typeof json === 'string' ? json : text;
    const answer = { outcome: 'succeeded', content, value: json } as const;
    if (!keepAll) return answer;
    const body = ReadableStream.from([Buffer.from(content)]);
    const mediaType = typeof json === 'string' ? 'text/plain' : 'application/json';
    const artifact = await artifacts
      .put({ ...ownerOf(caller), runId: '', mediaType, body })
      // The tool has run: that its result cannot be kept must not make it look as if it had failed.
      .catch(() => undefined);
    return defined({ ...answer, artifact });
  }
}

function ownerOf({ principal }: Caller): Owner {
  return { tenantId: principal.tenantId ?? 'default', userId: principal.userId };
}

/** Keys are names that callers choose: what one calls never meets what another one calls. */
function keyOf({ caller, key }: CallRequest): string {
  return digest([caller.service, ownerOf(caller), key ?? newId('call')]);
}

function answerOf({ outcome, ...answer }: CallResult): CallAnswer {
  return { ...answer, outcome: outcome === 'succeeded' ? outcome : 'failed' };
}

/** JSON that is to be sent as it is; `undefined` for streams, bytes and the like. */
function jsonOf(value: unknown): Json | undefined {
  if (typeof value !== 'object' || value === null) {
    const isJson = ['string', 'number', 'boolean'].includes(typeof value) || value === null;
    return isJson ? (value as Json) : undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null;
  if (!isPlain || Symbol.asyncIterator in value) return undefined;
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** A call that began and has no answer: its process died. What changes nothing twice is made again. */
function lostAnswer({ tool }: ValidCall): CallAnswer | null {
  if (tool.effect !== 'write') return null;
  const content = 'The call was started before and nobody knows whether it took effect.';
  return { outcome: 'unknown', content, code: 'outcome_unknown' };
}

function contextOf(
  request: CallRequest,
  { key, signal }: { readonly key: string; readonly signal: AbortSignal },
): ToolContext {
  return {
    // A call to a server is a run and a conversation of its own.
    runId: key,
    callId: key,
    conversationId: key,
    principal: request.caller.principal,
    idempotencyKey: key,
    attempt: 1,
    signal,
    progress: request.progress,
    requestInput: request.requestInput,
  };
}

const conflict = (): StewardError =>
  new StewardError('request_conflict', 'This request id was used before for other calls.');

const stopped = (isLate: boolean, timeoutMs: number): StewardError =>
  isLate
    ? new StewardError('tool_timeout', `No result in ${timeoutMs} ms; it may have taken effect.`)
    : new StewardError('aborted', 'The call was cancelled; it may have taken effect.');
