import { type Assembly, assemble } from './assembly.ts';
import { StewardError } from './errors/steward-error.ts';
import type { Json } from './internal/json.ts';
import type { ServerEntry } from './mcp/server-entry.ts';
import type { PromptArguments, PromptMessage, ServerPrompt } from './mcp/server-prompts.ts';
import type { ServerState } from './mcp/server-state.ts';
import type {
  AssistantOptions,
  AttachOptions,
  CallOptions,
  RunInputContent,
  RunOptions,
} from './options.ts';
import { newRun, ownerOf, type RunRequest } from './run/new-run.ts';
import type { PersonVerbs } from './run/person-verbs.ts';
import { Pulse } from './run/pulse.ts';
import { Run, type RunVerbs } from './run/run.ts';
import { RunDriver } from './run/run-driver.ts';
import { RunHeads } from './run/run-heads.ts';
import { closed, notFound, type RunSource } from './run/run-reader.ts';
import {
  checkId,
  readAttachOptions,
  readCallRequest,
  readJson,
  readPrincipal,
  readRunRequest,
  readText,
} from './run-arguments.ts';
import type { RunRecord } from './stores/run-store.ts';
import type { Stores } from './stores/stores.ts';
import type { Principal } from './tools/tool.ts';
import { type ArgumentsOf, readSchema, type ToolSchema } from './tools/tool-schema.ts';

/**
 * An assistant that acts: it talks to a model, uses tools, streams what happens, asks before it acts and never does a
 * thing twice. One per process and configuration; it serves any number of users and runs at the same time. Every verb
 * is addressed by run id and works from any process that shares the stores; a run of somebody else is `not_found`.
 * Wrong arguments are a `TypeError` naming the field: `run`, `call` and `attach`, which give a run, throw it; the verbs
 * that give a promise reject with it.
 *
 * @throws TypeError naming the option that is not acceptable; StewardError `model_not_configured`, `duplicate_tool`.
 * @example
 * ```ts
 * import { Assistant, demoModel, tool } from '@steward/core';
 * import { z } from 'zod';
 *
 * await using assistant = new Assistant({
 *   model: demoModel(),
 *   tools: [
 *     tool({
 *       name: 'get_time',
 *       description: 'The time now',
 *       parameters: z.object({}),
 *       effect: 'read',
 *       execute: () => new Date().toISOString(),
 *     }),
 *   ],
 * });
 * for await (const event of assistant.run('What time is it?')) console.log(event.type);
 * ```
 */
export class Assistant implements AsyncDisposable {
  readonly #parts: Assembly;
  readonly #driver: RunDriver;
  readonly #pulse: Pulse;
  readonly #heads: RunHeads;
  readonly #closing = new AbortController();
  readonly #creating = new Map<string, Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: AssistantOptions) {
    this.#parts = assemble(options);
    this.#pulse = new Pulse(this.#parts.settings.clock);
    this.#heads = new RunHeads(this.stores.runs);
    this.#driver = new RunDriver(this.#parts.settings, (runId) => this.#pulse.tell(runId));
    this.#driver.start();
  }

  /** Where everything is kept: conversations, runs, artifacts, usage, audit. */
  get stores(): Stores {
    return this.#parts.settings.stores;
  }

  /**
   * Starts a run and returns at once. What refuses it (`conversation_busy`, `request_conflict`, `queue_full`,
   * `rate_limited`, `closed`) is an `error` event for its iterators and rejects its `result()`.
   *
   * @throws TypeError naming the argument that is not acceptable; StewardError `invalid_argument` for too large an input.
   */
  run<const Schema extends ToolSchema>(
    input: RunInputContent,
    options: Omit<RunOptions, 'output'> & { readonly output: Schema },
  ): Run<ArgumentsOf<Schema>>;
  run(
    input: RunInputContent,
    options?: Omit<RunOptions, 'output'> & { readonly output?: undefined },
  ): Run<undefined>;
  run(input: RunInputContent, options?: RunOptions): Run;
  run(input: RunInputContent, options: RunOptions = {}): Run {
    const { maxInputBytes } = this.#parts.settings.limits;
    const request = readRunRequest(input, options, maxInputBytes);
    const { output } = options;
    return this.#start(request, output === undefined ? undefined : parserOf(output));
  }

  /**
   * Makes one tool call as a run without a model: the same gate, confirmation, ledger and events. `result().text` is
   * what the tool said; a call that did not succeed rejects with its code.
   */
  call(tool: string, args: Json, options: CallOptions = {}): Run<undefined> {
    const { maxInputBytes } = this.#parts.settings.limits;
    return this.#start(readCallRequest(tool, args, options, maxInputBytes)) as Run<undefined>;
  }

  /** The events of a run after a cursor (of an event seen before), from its beginning without one; live or finished. */
  attach(runId: string, options: AttachOptions = {}): Run<Json> {
    checkId(runId, 'attach: runId');
    const { principal, after } = readAttachOptions(options);
    const located = this.#about(runId, () => this.#load(runId, principal));
    return this.#handle({ runId, principal, located, isNew: false, after }) as Run<Json>;
  }

  /**
   * Decides a confirmation, once; the decider is the principal.
   *
   * @throws StewardError `already_decided`, `confirmation_expired`, `args_mismatch` or `not_found`.
   */
  async confirm(
    runId: string,
    callId: string,
    decision: { readonly approve: boolean; readonly argsDigest: string },
    principal: Partial<Principal> = {},
  ): Promise<void> {
    checkId(runId, 'confirm: runId');
    checkId(callId, 'confirm: callId');
    const { approve, argsDigest } = { ...decision };
    if (typeof approve !== 'boolean') throw new TypeError('confirm: approve must be a boolean');
    if (typeof argsDigest !== 'string') throw new TypeError('confirm: argsDigest must be a text');
    const owner = ownerOf(readPrincipal(principal, 'confirm'));
    const decided = { ...owner, runId, callId, approve, argsDigest };
    return this.#ask(runId, (verbs) => verbs.confirm(decided));
  }

  /**
   * Answers an `input_requested` event, once.
   *
   * @throws StewardError `already_decided` or `not_found`.
   */
  async answer(
    runId: string,
    requestId: string,
    content: Json,
    principal: Partial<Principal> = {},
  ): Promise<void> {
    checkId(runId, 'answer: runId');
    checkId(requestId, 'answer: requestId');
    const { maxInputBytes } = this.#parts.settings.limits;
    const json = readJson(content, 'answer: content', maxInputBytes);
    const owner = ownerOf(readPrincipal(principal, 'answer'));
    return this.#ask(runId, (verbs) => verbs.answer(runId, owner, requestId, json));
  }

  /**
   * Asks a run to end, from any process; harmless when it has ended. A side effect that was started is recorded.
   *
   * @throws StewardError `not_found`.
   */
  async cancel(runId: string, principal: Partial<Principal> = {}): Promise<void> {
    checkId(runId, 'cancel: runId');
    const owner = ownerOf(readPrincipal(principal, 'cancel'));
    return this.#ask(runId, (verbs) => verbs.cancel(runId, owner));
  }

  /**
   * Gives the model a text before its next turn: a `steered` event says so. An answer that is complete is followed by
   * another turn then; a run that is cancelled, fails or reaches a limit before that never gives it.
   *
   * @throws StewardError `not_waiting` when the run has ended or is a `call`, or `not_found`.
   */
  async steer(runId: string, text: string, principal: Partial<Principal> = {}): Promise<void> {
    checkId(runId, 'steer: runId');
    const { maxInputBytes } = this.#parts.settings.limits;
    const words = readText(text, 'steer: text', maxInputBytes);
    const owner = ownerOf(readPrincipal(principal, 'steer'));
    return this.#ask(runId, (verbs) => verbs.steer(runId, owner, words));
  }

  /** How each MCP server is, for this user. */
  servers(principal: Partial<Principal> = {}): readonly ServerState[] {
    return this.#parts.servers.servers(readPrincipal(principal, 'servers'));
  }

  /**
   * Approves definitions of tools that changed: tool name to the hash that `servers()` shows in `changedTools`. A definition
   * that has changed once more stays blocked. This is the host's decision: no user's.
   */
  approveTools(server: string, hashes: Readonly<Record<string, string>>): Promise<void> {
    return this.#server(server, (found) => found.approve(hashes));
  }

  /** The prompts that an MCP server offers. Throws `not_found`, `mcp_unavailable`, `authorization_required`. */
  prompts(server: string, principal: Partial<Principal> = {}): Promise<readonly ServerPrompt[]> {
    return this.#server(server, (found) => found.prompts(readPrincipal(principal, 'prompts')));
  }

  /** A prompt of an MCP server with its arguments filled in. Its words are the server's: show them before you use them. */
  prompt(
    server: string,
    name: string,
    args: PromptArguments = {},
    principal: Partial<Principal> = {},
  ): Promise<readonly PromptMessage[]> {
    return this.#server(server, (found) =>
      found.prompt(readPrincipal(principal, 'prompt'), name, args),
    );
  }

  /**
   * Where this user signs in to an MCP server that is used in the user's name; `null` when that is not needed. A call that
   * needs it asks the user by itself, with an `input_requested` event that has this address.
   *
   * @throws StewardError `not_found`, `mcp_unavailable`.
   */
  signIn(server: string, principal: Partial<Principal> = {}): Promise<string | null> {
    return this.#server(server, (found) => found.signInPage(readPrincipal(principal, 'signIn')));
  }

  /**
   * Ends a sign-in of this user, once: with the whole address that the browser came back with to `redirectUrl`.
   *
   * @throws StewardError `not_found` when this user began no such sign-in, `authorization_required` when it was refused.
   */
  finishSignIn(url: string | URL, principal: Partial<Principal> = {}): Promise<void> {
    return this.#open(() =>
      this.#parts.servers.finishSignIn(url, readPrincipal(principal, 'finishSignIn')),
    );
  }

  /**
   * Ends in order: takes no more work, lets runs come to their end for `drainMs` (5 seconds by default), gives the rest
   * back to the stores, ends servers, and closes the stores if it made them. A `write` that has begun gets
   * `limits.cancelGraceMs` more, as nobody could make it again. Safe to call twice.
   */
  async close({ drainMs = 5_000 }: { readonly drainMs?: number } = {}): Promise<void> {
    if (typeof drainMs !== 'number' || !(drainMs >= 0)) {
      throw new TypeError('close: drainMs must be milliseconds, 0 or more');
    }
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  /** As {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    await this.#driver.stop(drainMs);
    this.#closing.abort();
    this.#pulse.kick();
    await this.#parts.servers.close();
    if (this.#parts.ownsStores) await this.stores.close();
  }

  /** As {@link #open}, with the server of this name. */
  #server<T>(name: string, verb: (server: ServerEntry) => Promise<T>): Promise<T> {
    return this.#open(async () => verb(await this.#parts.servers.server(name)));
  }

  /** Runs a verb unless the assistant is closed. */
  async #open<T>(verb: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    return verb();
  }

  /** Asks something of a run. What does it is loaded when first asked: many runs need nobody. */
  #ask(runId: string, ask: (verbs: PersonVerbs) => Promise<void>): Promise<void> {
    return this.#about(runId, async () => {
      const { PersonVerbs } = await import('./run/person-verbs.ts');
      await ask(new PersonVerbs(this.#parts.settings, this.#driver));
    });
  }

  /** As {@link #open}; what is said about a run that is being created here comes after that. */
  #about<T>(runId: string, verb: () => Promise<T>): Promise<T> {
    return this.#open(async () => {
      await this.#creating.get(runId);
      return verb();
    });
  }

  #start(request: RunRequest, parseOutput?: (output: Json) => Promise<unknown>): Run {
    const { settings } = this.#parts;
    const run = newRun(request, settings, this.#driver.ownerId);
    const located = this.#open(async () => {
      const outcome = await this.#driver.create(run);
      if ('run' in outcome) return outcome.run;
      const { refusal } = await import('./run/refusal.ts');
      throw refusal(outcome);
    });
    this.#noteCreation(run.runId, located);
    const { principal } = request;
    return this.#handle({
      runId: run.runId,
      principal,
      located,
      isNew: true,
      ...(parseOutput && { parseOutput }),
    });
  }

  #noteCreation(runId: string, located: Promise<RunRecord>): void {
    const forget = () => {
      if (this.#creating.get(runId) === created) this.#creating.delete(runId);
    };
    const created = located.then(forget, forget);
    this.#creating.set(runId, created);
  }

  async #load(runId: string, principal: Principal): Promise<RunRecord> {
    const run = await this.stores.runs.load(runId, ownerOf(principal));
    if (!run) throw notFound(runId);
    return run;
  }

  #handle(handle: {
    readonly runId: string;
    readonly principal: Principal;
    readonly located: Promise<RunRecord>;
    readonly isNew: boolean;
    readonly after?: string | undefined;
    readonly parseOutput?: (output: Json) => unknown;
  }): Run {
    const { runId, principal, located, isNew, after, parseOutput = (output) => output } = handle;
    const source: RunSource = {
      runId,
      owner: ownerOf(principal),
      stores: this.stores,
      pulse: this.#pulse,
      heads: this.#heads,
      located,
      closed: this.#closing.signal,
      now: () => this.#parts.settings.clock.now(),
    };
    const { maxParallelCalls } = this.#parts.settings.limits;
    const verbs = this.#verbs(runId, principal);
    return new Run({ source, verbs, isNew, maxParallelCalls, after, parseOutput });
  }

  #verbs(runId: string, principal: Principal): RunVerbs {
    return {
      confirm: (callId, decision) => this.confirm(runId, callId, decision, principal),
      answer: (requestId, content) => this.answer(runId, requestId, content, principal),
      cancel: () => this.cancel(runId, principal),
      steer: (text) => this.steer(runId, text, principal),
    };
  }
}

/** Gives a stored output the type of the user's schema, with its defaults and transforms. */
function parserOf(schema: ToolSchema): (output: Json) => Promise<unknown> {
  const read = readSchema(schema);
  return async (output) => {
    const parsed = await read.parse(output);
    if (parsed.ok) return parsed.value;
    const problems = parsed.issues.map((issue) => issue.message).join('; ');
    throw new StewardError('invalid_output', `The answer does not match the schema: ${problems}`);
  };
}
