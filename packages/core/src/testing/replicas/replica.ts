import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import process from 'node:process';
import { StewardError } from '../../errors/steward-error.ts';
import { isTerminal, type RunEvent } from '../../events/run-event.ts';
import type { Json } from '../../internal/json.ts';
import type { Outside } from './outside.ts';
import type { FromReplica, ReplicaVerb, ReplicaVerbs, ToReplica } from './protocol.ts';

/** Settings of {@link startReplica}. */
export interface ReplicaOptions {
  /** The URL of the set-up module, such as `import.meta.resolve('./my-set-up.js')`. */
  readonly setUp: string;
  /** The world on which the tools of the replica act. */
  readonly outside: Outside;
  /** Given to the set-up; `null` by default. */
  readonly settings?: Json;
  /** Where the process dies: a point, or `point:count`. */
  readonly crashPoint?: string | undefined;
  /** Options of Node for the process; those of this one by default. */
  readonly execArgv?: readonly string[];
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether {@link Replica.kill} or {@link Replica.close} ended it. */
  readonly ordered: boolean;
}

/** An answer that will not come, because the process is gone. */
export class ReplicaGone extends Error {
  override readonly name = 'ReplicaGone';
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/** A process with an assistant in it, as the process that started it sees it. */
export class Replica {
  /** Unhandled rejections, as it reported them. */
  readonly incidents: string[] = [];
  /** Settles when the process has ended, in whatever way. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #outside: Outside;
  readonly #asked = new Map<number, Asked>();
  readonly #readings = new Map<number, (event: RunEvent | null) => void>();
  #next = 0;
  #end: ProcessEnd | undefined;
  #isOrdered = false;

  /** Of a process that was forked; `startReplica` does that. */
  constructor(child: ChildProcess, outside: Outside) {
    this.#child = child;
    this.#outside = outside;
    child.on('message', (message: FromReplica) => this.#hear(message));
    child.on('error', () => {}); // What is sent to a dead process.
    // What it said before its end is heard first.
    const silent = once(child, 'disconnect');
    this.ended = once(child, 'exit').then(async ([code, signal]) => {
      await silent;
      return this.#gone({ code, signal, ordered: this.#isOrdered });
    });
  }

  /** How the process ended, once it has. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** Makes the assistant; before that the process only waits. */
  async begin(): Promise<void> {
    await this.#ask('begin');
  }

  /** Starts a run with the given input and answers with its id. */
  run(input: string, options: { readonly requestId?: string } = {}): Promise<string> {
    return this.#ask('run', input, options);
  }

  /** Approves a call. */
  async confirm(runId: string, callId: string, argsDigest: string): Promise<void> {
    await this.#ask('confirm', runId, callId, argsDigest);
  }

  /** Asks a run to end. */
  async cancel(runId: string): Promise<void> {
    await this.#ask('cancel', runId);
  }

  /** What its stores have of these runs. */
  evidence(runIds: readonly string[]): Promise<ReturnType<ReplicaVerbs['evidence']>> {
    return this.#ask('evidence', runIds);
  }

  /** Closes the assistant in good order, then ends the process. */
  async close(drainMs = 0): Promise<void> {
    await this.#ask('close', drainMs);
    await this.kill('SIGKILL');
  }

  /** Sends a signal; for one that ends the process, waits for that. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#end) return;
    const endsIt = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    this.#isOrdered ||= endsIt;
    this.#child.kill(signal);
    if (endsIt) await this.ended;
  }

  /** Gives the events of a run to `onEvent`, after a cursor if there is one. Whether the run's end was among them. */
  async read(
    runId: string,
    after: string | null,
    onEvent: (event: RunEvent) => void,
  ): Promise<boolean> {
    const reading = this.#next++;
    const over = Promise.withResolvers<boolean>();
    let isAtEnd = false;
    this.#readings.set(reading, (event) => {
      if (event === null) return over.resolve(isAtEnd);
      isAtEnd ||= isTerminal(event);
      onEvent(event);
    });
    if (this.#end) return false;
    await this.#ask('attach', reading, runId, after).catch(() => over.resolve(false));
    return over.promise;
  }

  #ask<V extends ReplicaVerb>(
    verb: V,
    ...args: Parameters<ReplicaVerbs[V]>
  ): Promise<ReturnType<ReplicaVerbs[V]>> {
    const ask = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(gone(this.#end));
      this.#asked.set(ask, { resolve: resolve as Asked['resolve'], reject });
      this.#send({ ask, verb, args });
    });
  }

  #send(message: ToReplica): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #hear(message: FromReplica): void {
    switch (message.kind) {
      case 'answer':
        this.#settle(message.to, ({ resolve }) => resolve(message.value));
        break;
      case 'refusal':
        this.#settle(message.to, ({ reject }) =>
          reject(new StewardError(message.code, message.detail)),
        );
        break;
      case 'event':
        this.#readings.get(message.reading)?.(message.event);
        break;
      case 'end':
        this.#readings.get(message.reading)?.(null);
        this.#readings.delete(message.reading);
        break;
      case 'effect':
        void this.#affect(message);
        break;
      case 'incident':
        this.incidents.push(message.what);
    }
  }

  #settle(to: number, how: (asked: Asked) => void): void {
    const asked = this.#asked.get(to);
    this.#asked.delete(to);
    if (asked) how(asked);
  }

  async #affect({ n, callId, tool, args }: Extract<FromReplica, { kind: 'effect' }>) {
    await this.#outside.take({ callId, tool, args });
    this.#send({ affected: n });
  }

  #gone(end: ProcessEnd): ProcessEnd {
    this.#end = end;
    for (const { reject } of this.#asked.values()) reject(gone(end));
    this.#asked.clear();
    for (const onEvent of this.#readings.values()) onEvent(null);
    this.#readings.clear();
    return end;
  }
}

function gone({ code, signal }: Omit<ProcessEnd, 'ordered'>): ReplicaGone {
  return new ReplicaGone(`The replica has ended (${signal ?? `exit code ${code}`}).`);
}

/**
 * Starts a process that imports a set-up module and waits to be told what to do. It ends with this one. Use it to put
 * your own set-up through the death of its processes; {@link failOver} does the whole of that.
 *
 * @throws Error when the process ends before the module is there.
 * @example
 * ```ts
 * import { Outside, startReplica } from '@steward/core/testing';
 *
 * const outside = new Outside();
 * const setUp = new URL('./my-set-up.js', import.meta.url).href;
 * const replica = await startReplica({ setUp, outside });
 * await replica.begin();
 * await replica.kill('SIGKILL');
 * ```
 */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { setUp, outside, settings = null, crashPoint, execArgv = process.execArgv } = options;
  const program = createRequire(import.meta.url).resolve('@steward/core/testing/replica');
  const child = fork(program, [setUp, JSON.stringify(settings)], {
    execArgv: [...execArgv],
    env: { ...process.env, STEWARD_CRASH_POINT: crashPoint ?? '' },
  });
  const replica = new Replica(child, outside);
  await Promise.race([once(child, 'message'), replica.ended]);
  if (replica.end) throw gone(replica.end);
  return replica;
}
