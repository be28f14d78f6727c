// What a client has read of its run, put together as a page would.
import { isTerminal, type RunEvent, type TerminalEvent } from '@steward/core';

export class Reading {
  runId: string | null = null;
  /** Where to go on. */
  cursor: string | undefined;
  end: TerminalEvent | undefined;
  /** Each snapshot in short, for the story of the run. */
  readonly shown: string[] = [];
  /** The text as it stands on the page. */
  text = '';
  /** What should not have been read. */
  readonly faults: string[] = [];
  /** The durable events seen. */
  readonly durable: string[] = [];
  /** Since the last snapshot, which replaces what was read: what follows it may have been read before. */
  readonly #seen = new Set<string>();
  #turn = 0;

  see(event: RunEvent): void {
    this.runId ??= event.runId;
    if (event.runId !== this.runId) this.wrong(`an event of ${event.runId}`);
    if (this.end) this.wrong(`${event.type} behind the end`);
    if (event.type === 'snapshot') this.#seen.clear();
    else this.#note(event);
    this.cursor = event.cursor;
    this.#write(event);
    if (isTerminal(event)) this.end = event;
  }

  wrong(what: string): void {
    this.faults.push(what);
  }

  get snapshots(): number {
    return this.shown.length;
  }

  #note({ type, cursor }: RunEvent): void {
    if (this.#seen.has(cursor)) this.wrong(`${type} ${cursor} twice`);
    this.#seen.add(cursor);
    if (type !== 'token' && type !== 'reasoning') this.durable.push(cursor);
  }

  #write(event: RunEvent): void {
    if (event.type === 'token') {
      this.text = event.turn === this.#turn ? this.text + event.text : event.text;
      this.#turn = event.turn;
    } else if (event.type === 'turn_reset') {
      this.#turn = event.turn;
      this.text = '';
    } else if (event.type === 'snapshot') {
      this.#turn = event.turn;
      const answer = event.messages.find(({ role }) => role === 'assistant')?.content;
      this.text = typeof answer === 'string' ? answer : event.openText;
      this.shown.push(`${event.cursor} ${event.status} turn ${event.turn}: ${this.text}`);
    }
  }
}
