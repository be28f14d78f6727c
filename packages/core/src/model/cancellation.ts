/** Gives one request up: an AbortController for a single listener, since each answer holds one as long as it streams. */
export class Cancellation {
  #isCancelled = false;
  #listener: (() => void) | undefined;

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Calls the listener when the request is given up; the newest one counts. */
  onCancel(listener: () => void): void {
    this.#listener = listener;
  }

  /** The same for those who need a real signal. */
  signal(): AbortSignal {
    const controller = new AbortController();
    this.onCancel(() => controller.abort());
    if (this.#isCancelled) controller.abort();
    return controller.signal;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#listener?.();
  }
}
