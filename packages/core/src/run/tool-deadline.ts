import { StewardError } from '../errors/steward-error.ts';
import type { Effect } from '../events/run-event.ts';
import type { OwnedRun } from './owned-run.ts';

/** What a {@link ToolDeadline} needs to know of the tool. */
export interface TimedTool {
  readonly timeoutMs: number;
  readonly effect: Effect;
}

/**
 * How long a tool may work. Its signal aborts at the timeout and when the run has to stop; after a cancel the tool
 * still gets a moment to end what it began. When this process has to end, a `write` gets that moment undisturbed:
 * another process could not make it again. A tool that heeds nothing is left behind.
 */
export class ToolDeadline {
  readonly #run: OwnedRun;
  readonly #tool: TimedTool;
  readonly #controller = new AbortController();
  /** Why nobody waits for the work any more. */
  #left: { readonly reason: unknown } | undefined;
  #onLeave: (reason: unknown) => void = () => {};
  #cancelTimer: () => void = () => {};
  /** Questions that wait for a person. */
  #suspensions = 0;
  #isOver = false;
  readonly #forget: () => void;

  constructor(run: OwnedRun, tool: TimedTool) {
    this.#run = run;
    this.#tool = tool;
    this.#arm();
    this.#forget = run.onStop(() => this.#stopped());
    if (run.stopReason) this.#stopped();
  }

  /** Whether the call has its result: what the tool still says is nobody's business. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the tool is given. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the work comes to, or the reason why nobody waits for it any more. */
  race<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#left) return reject(this.#left.reason);
      this.#onLeave = reject;
      // Whatever comes of it after it was left behind changes nothing.
      work().then(resolve, reject);
    });
  }

  /** Waits for a person: that time is neither the tool's nor the run's. */
  async suspended<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw new StewardError('aborted', 'The call has its result already.');
    this.#suspensions += 1;
    if (!this.signal.aborted) this.#cancelTimer();
    try {
      return await this.#run.deadline.suspended(wait);
    } finally {
      this.#suspensions -= 1;
      if (this.#suspensions === 0 && !this.#isOver && !this.signal.aborted) this.#arm();
    }
  }

  end(): void {
    this.#isOver = true;
    this.#cancelTimer();
    this.#forget();
  }

  #arm(): void {
    const { timeoutMs } = this.#tool;
    this.#cancelTimer = this.#run.settings.clock.schedule(() => {
      const message = `The tool did not answer within ${timeoutMs} ms.`;
      this.#leave(new StewardError('tool_timeout', message));
    }, timeoutMs);
  }

  #stopped(): void {
    const { stopCause, stopReason, settings } = this.#run;
    this.#cancelTimer();
    const isShutdown = stopCause === 'shutdown';
    if (stopCause === 'fenced' || (isShutdown && this.#tool.effect !== 'write')) {
      this.#leave(stopReason);
      return;
    }
    if (!isShutdown) this.#controller.abort(stopReason);
    this.#cancelTimer = settings.clock.schedule(
      () => this.#leave(stopReason),
      settings.limits.cancelGraceMs,
    );
  }

  #leave(reason: unknown): void {
    this.#controller.abort(reason);
    this.#left ??= { reason };
    this.#onLeave(reason);
  }
}
