// One user and one run: starts it, reads it while leaving and coming back, decides, sometimes cancels or tries too much.
import { setTimeout as wait } from 'node:timers/promises';
import type { PendingConfirmation, RunEvent } from '@steward/core';
import type { SeededRandom } from '@steward/core/testing';
import { inputOf, type Plan } from './plan.ts';
import { Reading } from './reading.ts';
import type { ConfirmBody, StartBody } from './replica-http.ts';
import { type Answer, ask, eventsFrom } from './sse-client.ts';

/** A decision and what was answered: `ok`, a code, or `silence`. */
export interface Press {
  readonly callId: string;
  readonly approve: boolean;
  readonly answer: string;
}

/** What a client can tell at the end. */
export interface Testimony {
  readonly requestId: string;
  readonly userId: string;
  /** Whether the request was made more than once: where one is refused, another may be under way. */
  readonly isRepeated: boolean;
  /** The run, if one was begun; else why not. */
  readonly runId: string | null;
  readonly refusal: string | null;
  readonly reading: Reading;
  readonly presses: readonly Press[];
  readonly cancel: string | null;
  /** Answers to somebody else who tried: anything but `not_found` is a broken promise. */
  readonly trespasses: readonly string[];
  readonly resumptions: number;
  readonly seconds: number;
}

export interface ClientOptions {
  readonly plan: Plan;
  readonly requestId: string;
  readonly random: SeededRandom;
  readonly urls: () => readonly string[];
  /** The run is given up, and taken for lost, after so long. */
  readonly giveUpMs: number;
}

const fairRefusals = ['conversation_busy', 'queue_full'];

export class Client {
  readonly #options: ClientOptions;
  readonly #random: SeededRandom;
  readonly #userId: string;
  readonly #isTwin: boolean;
  readonly #body: StartBody;
  readonly #reading = new Reading();
  readonly #presses: Press[] = [];
  readonly #trespasses: string[] = [];
  readonly #acts: Promise<void>[] = [];
  readonly #decided = new Set<string>();
  readonly #began = performance.now();
  #refusal: string | null = null;
  #cancel: string | null = null;
  #starts = 0;
  #resumptions = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { random, requestId, plan } = options;
    this.#random = random;
    this.#isTwin = random.chance(0.2);
    const isShared = random.chance(0.2);
    this.#userId = isShared ? `u${random.integer(1, 20)}` : `u-${requestId}`;
    this.#body = {
      input: inputOf(plan),
      requestId,
      ...(isShared && {
        conversationId: `c-${this.#userId}`,
        onBusy: random.pick(['queue', 'queue', 'refuse', 'supersede'] as const),
      }),
    };
  }

  async live(): Promise<Testimony> {
    if (this.#isTwin) this.#acts.push(this.#startTwice());
    while (!this.#isOver) {
      try {
        await this.#read();
      } catch {
        // The replica died, left or hangs: the next one may answer.
        await wait(this.#random.integer(10, 100));
      }
    }
    await Promise.all(this.#acts);
    return {
      requestId: this.#body.requestId,
      userId: this.#userId,
      isRepeated: this.#isTwin || this.#starts > 1,
      runId: this.#reading.runId,
      refusal: this.#refusal,
      reading: this.#reading,
      presses: this.#presses,
      cancel: this.#cancel,
      trespasses: this.#trespasses,
      resumptions: this.#resumptions,
      seconds: (performance.now() - this.#began) / 1_000,
    };
  }

  get #isTooLate(): boolean {
    return performance.now() - this.#began > this.#options.giveUpMs;
  }

  get #isOver(): boolean {
    return this.#reading.end !== undefined || this.#refusal !== null || this.#isTooLate;
  }

  /** Any replica; who is behind an address may be long gone. */
  #at(path: string): string {
    return `${this.#random.pick(this.#options.urls())}${path}`;
  }

  async #startTwice(): Promise<void> {
    const asked = { url: this.#at('/start'), body: this.#body, userId: this.#userId };
    const events = eventsFrom(asked);
    await events.next().catch(() => {});
    await events.return(undefined);
  }

  /** Reads from where it was until the end, until the connection breaks, or until it has had enough. */
  async #read(): Promise<void> {
    const isResumed = this.#reading.runId !== null;
    let left = this.#random.chance(0.5) ? Number.POSITIVE_INFINITY : this.#random.integer(1, 40);
    let isFirst = true;
    for await (const event of eventsFrom({ ...this.#request(), userId: this.#userId })) {
      if (isFirst && isResumed) this.#resumptions += 1;
      isFirst = false;
      if (!this.#see(event) || --left <= 0 || this.#isOver) return;
    }
  }

  /** To begin the run, or to go on where reading broke off. */
  #request(): { url: string; body?: StartBody } {
    const { runId, cursor } = this.#reading;
    if (runId === null) {
      this.#starts += 1;
      return { url: this.#at('/start'), body: this.#body };
    }
    const query = cursor === undefined ? '' : `?after=${encodeURIComponent(cursor)}`;
    return { url: this.#at(`/events/${runId}${query}`) };
  }

  /** Whether reading goes on. */
  #see(event: RunEvent): boolean {
    if (event.type === 'error' && event.cursor === '0-0') {
      // Said by the replica and not by the run: it closes, cannot reach the store, or refuses.
      if (fairRefusals.includes(event.code)) this.#refusal = event.code;
      else if (event.code !== 'store_unavailable' && event.code !== 'closed') {
        this.#reading.wrong(`a replica said ${event.code}: ${event.message}`);
      }
      return false;
    }
    const isFirst = this.#reading.runId === null;
    this.#reading.see(event);
    if (isFirst) this.#begin(event.runId);
    if (event.type === 'tool_request' && event.requiresConfirmation) this.#noticed([event]);
    if (event.type === 'snapshot') this.#noticed(event.confirmations);
    return true;
  }

  #begin(runId: string): void {
    if (this.#random.chance(0.06)) this.#acts.push(this.#cancelSoon(runId));
    if (this.#random.chance(0.03)) this.#acts.push(this.#trespass(runId));
  }

  #noticed(asked: readonly Pick<PendingConfirmation, 'callId' | 'argsDigest'>[]): void {
    for (const { callId, argsDigest } of asked) {
      if (this.#decided.has(callId)) continue;
      this.#decided.add(callId);
      // Some are left to expire.
      if (this.#random.chance(0.02)) continue;
      this.#acts.push(this.#decide(callId, argsDigest));
    }
  }

  /** Decides once, or in two tabs at the same moment and not alike. */
  async #decide(callId: string, argsDigest: string): Promise<void> {
    await wait(this.#random.pick([0, 20, 100, 300, 1_500]));
    const tabs = this.#random.pick([1, 1, 1, 2]);
    await Promise.all(
      Array.from({ length: tabs }, () =>
        this.#press({ callId, argsDigest, approve: this.#random.chance(0.8) }),
      ),
    );
  }

  /** Until there is an answer; each try is one press. */
  async #press(body: ConfirmBody): Promise<void> {
    for (;;) {
      const { callId, approve } = body;
      const answer = await this.#post(`/confirm/${this.#reading.runId}`, body, this.#userId);
      this.#presses.push({ callId, approve, answer });
      if (isAnswer(answer) || this.#isOver) return;
      await wait(this.#random.integer(50, 200));
    }
  }

  async #cancelSoon(runId: string): Promise<void> {
    await wait(this.#random.integer(0, 1_000));
    do {
      this.#cancel = await this.#post(`/cancel/${runId}`, {}, this.#userId);
    } while (!isAnswer(this.#cancel) && !this.#isOver);
  }

  async #trespass(runId: string): Promise<void> {
    const anything = { callId: 'call', approve: true, argsDigest: 'digest' };
    for (const path of [`/cancel/${runId}`, `/confirm/${runId}`]) {
      this.#trespasses.push(await this.#post(path, anything, 'eve'));
    }
    try {
      for await (const event of eventsFrom({ url: this.#at(`/events/${runId}`), userId: 'eve' })) {
        this.#trespasses.push(event.type === 'error' ? event.code : `saw ${event.type}`);
      }
    } catch {
      this.#trespasses.push('silence');
    }
  }

  async #post(path: string, body: object, userId: string): Promise<string> {
    try {
      return wordOf(await ask({ url: this.#at(path), body, userId }));
    } catch {
      return 'silence';
    }
  }
}

function wordOf({ status, code }: Answer): string {
  return status === 204 ? 'ok' : (code ?? `status ${status}`);
}

function isAnswer(word: string): boolean {
  return !['silence', 'store_unavailable', 'closed'].includes(word);
}
